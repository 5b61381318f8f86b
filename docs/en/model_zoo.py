"""Writes model_zoo.md from configs/*/metafile.yml, when the docs are built.

Parameters and operations come from work_dirs/results/model_table, which
tools/model_table.py measured.
"""

import json
import os
from pathlib import Path

import yaml

HEAD = """# Model zoo

Every config of the package, by method. This page is generated from the
`metafile.yml` of each folder of `configs/` when the documentation is built;
the `README.md` beside a metafile describes the method.

- **Framewise baseline**: the config that a recurrent one is compared with, and
  starts from.
- **Parameters, GFLOPs**: of the whole net, for one streamed frame of 512x1024;
  a multiplication with its addition counts as one operation. Measured by
  `tools/model_table.py`; configs without a figure have not been measured yet.
- **Results**: in %, by data set: mIoU on clips, mIoU and static-label flicker
  streamed. Configs without a figure have not been measured yet.
- **Weights**: a link where a checkpoint is published, with the terms of the
  data that bind it; [model cards](../../work_dirs/checkpoints/README.md) say
  more. Where there is none, train the config: its command is in [train and
  test](user_guides/train_test.md).
"""
COLUMNS = (
    'config',
    'framewise baseline',
    'parameters (M)',
    'GFLOPs',
    'results',
    'weights',
)


def write_model_zoo(root: Path, out: Path) -> None:
    """The page at ``out``, if it is not that already."""
    text = model_zoo(root, out.parent)
    if not out.exists() or out.read_text(encoding='utf-8') != text:
        out.write_text(text, encoding='utf-8')


def model_zoo(root: Path, folder: Path) -> str:
    """The page, with links relative to the folder that it stands in."""
    measured = json.loads(
        (root / 'work_dirs/results/model_table/model_table.json').read_text()
    )
    costs = {row['name']: row for row in measured['models']}
    blocks = [HEAD]
    found = (root / 'configs').rglob('metafile.yml')
    for path in sorted(found, key=lambda path: (len(path.parts), path)):
        meta = yaml.safe_load(path.read_text(encoding='utf-8'))
        rows = [
            _row(entry, costs.get(entry['Name'], {}), root, folder)
            for entry in meta['Models']
        ]
        blocks.append(
            '\n'.join(
                [
                    f'## {_title(path)}',
                    '',
                    *_papers(meta),
                    f'| {" | ".join(COLUMNS)} |',
                    '|' + '---|' * len(COLUMNS),
                    *rows,
                    '',
                ]
            )
        )
    return '\n'.join(blocks)


def _title(metafile: Path) -> str:
    """The title of the README beside the metafile, else the folder's name."""
    readme = metafile.with_name('README.md')
    if readme.exists():
        first = readme.read_text(encoding='utf-8').lstrip().splitlines()[0]
        if first.startswith('# '):
            return first[2:]
    return metafile.parent.name


def _papers(meta: dict) -> list[str]:
    papers = [c['Paper'] for c in meta.get('Collections', ()) if 'Paper' in c]
    links = [f'[{paper["Title"]}]({paper["URL"]})' for paper in papers]
    return ['; '.join(links), ''] if links else []


def _row(entry: dict, cost: dict, root: Path, folder: Path) -> str:
    config = os.path.relpath(root / entry['Config'], folder)
    baseline = entry.get('Metadata', {}).get('Framewise Baseline', '')
    results = [
        f'{result["Dataset"]}: '
        + ', '.join(f'{k} {v:.2f}' for k, v in result['Metrics'].items())
        for result in entry.get('Results') or ()
    ]
    weights, terms = entry.get('Weights'), ''
    if 'Weights Terms' in entry.get('Metadata', {}):
        terms = f' ({entry["Metadata"]["Weights Terms"]})'
    if weights and '://' not in weights:
        weights = os.path.relpath(root / weights, folder)
    cells = (
        f'[{entry["Name"]}]({config})',
        baseline,
        f'{cost["parameters_m"]:.2f}' if cost else '',
        f'{cost["gflops"]:.2f}' if cost else '',
        '; '.join(results),
        f'[checkpoint]({weights}){terms}' if weights else '',
    )
    return f'| {" | ".join(cells)} |'
