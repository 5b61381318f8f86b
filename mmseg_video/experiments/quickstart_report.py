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


def write_table(
    out: Path, tests: dict, iterations: dict, settings: dict
) -> str:
    """table.md and table.json in ``out``; returns the Markdown.

    Args:
        out (Path): The folder.
        tests (dict): 'framewise' and 'recurrent' -> protocol -> figures.
        iterations (dict): Model -> training iterations in all.
        settings (dict): Of the job, for the record.
    """
    columns = [(m, t) for t in tests['recurrent'] for m in ('mIoU', 'mAcc')]
    head = [f'{m}, T={t.removeprefix("t")}' for m, t in columns]
    values = {
        name: [by_protocol[t][m] for m, t in columns]
        for name, by_protocol in tests.items()
    }
    rows = [[name, iterations[name], *v] for name, v in values.items()]
    gain = np.subtract(values['recurrent'], values['framewise'])
    rows.append(['**difference**', '', *(f'{v:+.2f}' for v in gain)])
    table = markdown_table(['model', 'iterations', *head], rows)
    table += '\nThe framewise model reads the key frame alone, whatever T.\n'
    write_text(out / 'table.md', table)
    report = dict(settings=settings, iterations=iterations, tests=tests)
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


def write_curves(path: Path, runs: dict, offset: int) -> None:
    """Loss and validation mIoU of each model against its iterations.

    Args:
        path (Path): A PNG.
        runs (dict): Model -> work dirs of its two parts.
        offset (int): Iterations of the first part.
    """
    figure, (axes,) = subplots(1, 2, (10, 3.6))
    for name, (first, second) in runs.items():
        for axis, tag in zip(axes, ('loss', 'mIoU'), strict=True):
            x1, y1 = read_scalars(first, tag)
            x2, y2 = read_scalars(second, tag)
            x, y = [*x1, *(offset + i for i in x2)], [*y1, *y2]
            axis.plot(x, y, '.-' if tag == 'mIoU' else '-', label=name, lw=1.4)
    for axis, title in zip(
        axes, ('training loss', 'validation mIoU (%)'), strict=True
    ):
        axis.axvline(offset, color='grey', lw=0.8, ls=':')
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
