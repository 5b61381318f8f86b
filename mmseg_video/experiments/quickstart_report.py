"""What the quick start shows: table, curves and GIF."""

import json
from pathlib import Path

import cv2
import numpy as np
from mmengine import Config
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS

from ..apis import VideoSegInferencer
from ..io.atomic import write_text
from ..io.writers import GifWriter
from ..visualization import side_by_side
from .output import markdown_table, save_figure, subplots, to_json

# What a stream's test says of clean and degraded frames, where there are any.
STREAM = {
    'mIoU': 'sequences/mIoU',
    'mIoU, clean frames': 'sequences/mIoU_clean',
    'mIoU, degraded frames': 'sequences/mIoU_degraded',
    'static-label flicker': 'flicker_static',
}
FEW_POINTS = 40  # of a curve, which are marked
CLIPS = {'mIoU': 'mIoU', 'mAcc': 'mAcc'}


def write_table(
    out: Path, tests: dict, iterations: dict, settings: dict
) -> str:
    """table.md and table.json in ``out``; returns the Markdown.

    Args:
        out (Path): The folder.
        tests (dict): 'framewise' and 'recurrent' -> protocol -> figures.
        iterations (dict): Model -> iterations of each part of its training.
        settings (dict): Of the job, for the record.
    """
    columns = [
        (protocol, title, figure)
        for protocol, figures in tests['recurrent'].items()
        for title, figure in (STREAM if protocol.stream else CLIPS).items()
        if figure in figures
    ]
    values = {
        name: [of[protocol][figure] for protocol, _, figure in columns]
        for name, of in tests.items()
    }
    parts = {k: ' + '.join(f'{n:,}' for n in v) for k, v in iterations.items()}
    rows = [[name, parts[name], *v] for name, v in values.items()]
    gain = np.subtract(values['recurrent'], values['framewise'])
    rows.append(['**difference**', '', *(f'{v:+.2f}' for v in gain)])
    head = [
        f'{title}, ' + ('streamed' if p.stream else f'T={p.num_frames}')
        for p, title, _ in columns
    ]
    table = markdown_table(['model', 'iterations', *head], rows)
    table += '\nThe framewise model reads the key frame alone, whatever T.\n'
    write_text(out / 'table.md', table)
    named = {
        name: {protocol.name: figures for protocol, figures in of.items()}
        for name, of in tests.items()
    }
    report = dict(settings=settings, iterations=iterations, tests=named)
    write_text(out / 'table.json', to_json(report))
    return table


def read_scalars(work_dir: Path, tag: str) -> tuple[list, list]:
    """Steps and values of a scalar, over all runs of a resumed training."""
    points = {}
    for path in sorted(work_dir.glob('*/vis_data/scalars.json')):
        for line in path.read_text().splitlines():
            row = json.loads(line)
            if tag in row:
                points[row.get('step', row.get('iter'))] = row[tag]
    return list(points), list(points.values())


def write_curves(path: Path, runs: dict, iterations: dict) -> None:
    """Loss and validation mIoU of each model against its iterations.

    Args:
        path (Path): A PNG.
        runs (dict): Model -> work dirs of the parts of its training.
        iterations (dict): Model -> iterations of each.
    """
    figure, (axes,) = subplots(1, 2, (10, 3.6))
    for name, folders in runs.items():
        begins = [0, *np.cumsum(iterations[name])]
        for axis, tag in zip(axes, ('loss', 'mIoU'), strict=True):
            x, y = [], []
            for begin, folder in zip(begins, folders, strict=False):
                steps, values = read_scalars(folder, tag)
                x += [begin + step for step in steps]
                y += values
            # A line through one point would be none.
            style = '.-' if len(x) <= FEW_POINTS else '-'
            axis.plot(x, y, style, label=name, lw=1.4)
            for begin in begins[1:-1]:
                axis.axvline(begin, color='grey', lw=0.8, ls=':')
    for axis, title in zip(
        axes, ('training loss', 'validation mIoU (%)'), strict=True
    ):
        axis.set_title(title)
        axis.set_xlabel('iteration')
        axis.grid(alpha=0.3)
        axis.legend(frameon=False)
    save_figure(figure, path)


def write_gif(
    path: Path, models: dict, data_root: str, max_frames: int = 48
) -> None:
    """Test sequences side by side: frame | framewise | recurrent | label.

    Args:
        path (Path): A GIF.
        models (dict): Name -> (config, checkpoint), the framewise one first.
        data_root (str): Of the test data.
        max_frames (int): Defaults to 48.
    """
    inferencers = {
        k: VideoSegInferencer(str(c), str(w)) for k, (c, w) in models.items()
    }
    cfg = Config.fromfile(models['recurrent'][0]).test_dataloader.dataset
    cfg.update(data_root=data_root, mode='stream', num_frames=1)
    init_default_scope('mmseg')
    dataset = DATASETS.build(cfg)
    classes, palette = dataset.metainfo['classes'], dataset.metainfo['palette']
    last = None
    with GifWriter(path, fps=6) as gif:
        for i in range(min(max_frames, len(dataset))):
            sample = dataset[i]['data_samples']
            frame = cv2.imread(sample.img_path)
            if sample.sequence != last:
                last = sample.sequence
                for inferencer in inferencers.values():
                    inferencer.reset()
            labels = {
                name: inferencer.predict_frame(frame).label
                for name, inferencer in inferencers.items()
            }
            labels['label'] = sample.gt_sem_seg.data[0].numpy()
            gif.write(side_by_side(frame, labels, classes, palette, 256, 0.65))
