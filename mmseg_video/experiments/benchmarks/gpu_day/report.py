"""What is known: one JSON, one table, one page."""

import json
from dataclasses import asdict
from pathlib import Path

import torch

from ....io.atomic import write_text
from ...output import markdown_table, to_json
from .headlines import headlines
from .rows import COLUMNS
from .settings import DRY, Settings
from .stages import Stage
from .worker import DONE, FAILED, SKIPPED, STOPPED, Outcome

PAGE = """\
# On a GPU

{device}. Made by `bash tools/gpu_day.sh`; every figure is in `gpu_day.json`.
Nets are those of `unet_cityscapes.py`, `rnn_unet_joint_cityscapes.py`,
`rnn_unet_gated_ema_only_cityscapes.py` and
`rnn_unet_gated_ema_flow_cityscapes.py`, with random weights: costs and
parity only, no accuracy.
{dry}
{headlines}
{sections}"""

REHEARSAL = """
**A rehearsal: its sizes are tiny, its figures mean nothing.**
"""


class Report:
    """What came of each stage, written whole after each.

    Args:
        folder (Path): Where it is; what was left there is read.
        settings (Settings): Of all stages.
        device (str): What they run on.

    Raises:
        ValueError: If what was left there was made with others.
    """

    def __init__(self, folder: Path, settings: Settings, device: str):
        self.folder, self.settings, self.device = folder, settings, device
        self.stages = self._read()

    def _read(self) -> dict[str, dict]:
        path = self.folder / 'gpu_day.json'
        try:
            content = json.loads(path.read_text())
            stages = dict(content['stages'])
        except (OSError, ValueError, KeyError, TypeError):
            return {}
        if content.get('made_with') != self._made_with:
            raise ValueError(
                f"'{path}' holds figures of another machine, another PyTorch "
                'or other sizes: name another folder with --out'
            )
        return stages

    @property
    def _made_with(self) -> dict:
        """What decides the figures, as JSON has it."""
        settings = json.loads(json.dumps(asdict(self.settings)))
        return dict(
            device=self.device, torch=torch.__version__, settings=settings
        )

    def is_done(self, stage: Stage) -> bool:
        """Whether it was done before."""
        return self.stages.get(stage.name, {}).get('status') == DONE

    def failed(self, stage: Stage) -> bool:
        """Whether it failed or hung."""
        status = self.stages.get(stage.name, {}).get('status')
        return status in (FAILED, STOPPED)

    def add(self, stage: Stage, outcome: Outcome) -> None:
        """Take what came of a stage, and write all.

        That it was skipped does not replace what was known before.
        """
        entry = dict(title=stage.title, about=stage.about, **asdict(outcome))
        if outcome.status == SKIPPED:
            self.stages.setdefault(stage.name, entry)
        else:
            self.stages[stage.name] = entry
        self.write()

    def write(self) -> None:
        """The three files, each whole."""
        content = dict(made_with=self._made_with, stages=self.stages)
        write_text(self.folder / 'gpu_day.json', to_json(content))
        write_text(self.folder / 'table.md', self._table())
        write_text(self.folder / 'gpu.md', self._page())

    def _table(self) -> str:
        lines = [
            [name, *_cells(row, COLUMNS)]
            for name, entry in self.stages.items()
            for row in entry['rows']
        ]
        return markdown_table(['stage', *COLUMNS.values()], lines)

    def _page(self) -> str:
        dry = ''
        if self.settings == DRY:
            dry = REHEARSAL
        found = headlines(
            {name: entry['rows'] for name, entry in self.stages.items()}
        )
        return PAGE.format(
            device=self.device,
            dry=dry,
            headlines=''.join(f'- {line}\n' for line in found),
            sections='\n'.join(map(_section, self.stages.values())),
        )


def _section(entry: dict) -> str:
    text = f'## {entry["title"]}\n\n{entry["about"]}\n\n'
    if entry['rows']:
        used = [
            key
            for key in COLUMNS
            if any(row.get(key) is not None for row in entry['rows'])
        ]
        text += markdown_table(
            [COLUMNS[key] for key in used],
            [_cells(row, used) for row in entry['rows']],
        )
    if entry['status'] != DONE:
        text += f'\n{entry["status"]}: {entry["why"]}\n'
    return text


def _cells(row: dict, keys) -> list:
    return [
        f'{row[key]:.1e}'
        if key == 'error' and row.get(key) is not None
        else row.get(key)
        for key in keys
    ]
