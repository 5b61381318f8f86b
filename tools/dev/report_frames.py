"""The report's picture: frames of a burst, and what two models say of them.

    python tools/dev/report_frames.py CONFIG CHECKPOINT \
        --baseline CONFIG CHECKPOINT --data-root data/street_scenes/seed0

Not chosen by eye: it shows the first snippet of the split that has a burst of
at least three frames with two clean ones before it and one behind. Both models
see the whole snippet. Writes docs/report/figures/frames.jpg.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from mmseg_video.apis import VideoSegInferencer
from mmseg_video.cli.arguments import tool_parser
from mmseg_video.engine.launch import cli
from mmseg_video.io.atomic import atomic_path
from mmseg_video.visualization import colourise

ROOT = Path(__file__).resolve().parents[2]
BEFORE, LONGEST, BEHIND = 2, 3, 1
GAP = 4  # pixels between panels


def parse_args():
    parser = tool_parser(__doc__)
    parser.add_argument('config')
    parser.add_argument('checkpoint')
    parser.add_argument('--baseline', nargs=2, required=True)
    parser.add_argument('--data-root', type=Path, required=True)
    parser.add_argument('--split', default='test')
    parser.add_argument(
        '--out', type=Path, default=ROOT / 'docs/report/figures/frames.jpg'
    )
    return parser.parse_args()


def first_burst(degraded: Sequence[dict], split: str) -> tuple[str, int]:
    """The snippet, and the first frame of its burst.

    Raises:
        ValueError: If the split has no such burst.
    """
    snippets = {}
    for frame in degraded:
        if frame['split'] == split:
            snippets.setdefault(frame['snippet'], set()).add(frame['frame'])
    for snippet, frames in sorted(snippets.items()):
        for start in sorted(frames):
            clean = [start - i for i in range(1, BEFORE + 1)]
            burst = [start + i for i in range(LONGEST)]
            behind = [burst[-1] + i for i in range(1, BEHIND + 1)]
            if frames.issuperset(burst) and not frames & {*clean, *behind}:
                return snippet, start
    raise ValueError(
        f"the split '{split}' has no burst of {LONGEST} frames between clean "
        'ones: take another split or more snippets'
    )


def rows(args: argparse.Namespace) -> list[list[np.ndarray]]:
    """Frames, labels, and what baseline and model predict, in colours."""
    report = json.loads((args.data_root / 'street_scenes.json').read_text())
    snippet, start = first_burst(report['degraded'], args.split)

    def read(folder, ending, t, flag):
        path = args.data_root / folder / args.split
        return cv2.imread(str(path / f'{snippet}_{t:06d}_{ending}.png'), flag)

    shown = range(start - BEFORE, start + LONGEST + BEHIND)
    until = range(report['frames'][0], shown[-1] + 1)
    colour, grey = cv2.IMREAD_COLOR, cv2.IMREAD_GRAYSCALE
    frames = [
        read('leftImg8bit_sequence', 'leftImg8bit', t, colour) for t in until
    ]
    labels = [
        read('gtFine_sequence', 'gtFine_labelTrainIds', t, grey) for t in until
    ]
    at = slice(shown[0] - until[0], None)
    predicted = [
        list(VideoSegInferencer(*model).predict(frames))
        for model in (args.baseline, (args.config, args.checkpoint))
    ]
    palette = predicted[0][0].palette
    return [
        frames[at],
        [colourise(label, palette) for label in labels[at]],
        *([colourise(p.label, palette) for p in ps[at]] for ps in predicted),
    ]


def joined(panels: list[list[np.ndarray]]) -> np.ndarray:
    """Rows of panels (H, W, 3) as one picture, with white between them."""
    height, width = panels[0][0].shape[:2]
    across, down = len(panels[0]), len(panels)
    picture = np.full(
        (down * (height + GAP) - GAP, across * (width + GAP) - GAP, 3),
        255,
        np.uint8,
    )
    for y, row in enumerate(panels):
        for x, panel in enumerate(row):
            top, left = y * (height + GAP), x * (width + GAP)
            picture[top : top + height, left : left + width] = panel
    return picture


@cli
def main():
    args = parse_args()
    picture = joined(rows(args))
    with atomic_path(args.out) as temporary:
        options = [cv2.IMWRITE_JPEG_QUALITY, 88]
        cv2.imwrite(str(temporary), picture, options)
    print(f'written to {args.out}')


if __name__ == '__main__':
    main()
