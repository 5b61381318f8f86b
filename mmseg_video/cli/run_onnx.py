"""Segment a video with an exported model: no torch, no mmseg.

    pip install onnxruntime opencv-python pillow av tqdm
    pip install --no-deps mmseg-video
    mmseg-video run-onnx VIDEO.mp4 MODEL.onnx --out OUT.mp4

The model is made by mmseg-video export.
"""

import argparse
import os
import sys
import traceback

from .arguments import (
    add_max_frames,
    add_min_contrast,
    at_least,
    every,
    tool_parser,
)


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('video', help='a file, folder, glob or camera')
    parser.add_argument('model', help='made by mmseg-video export')
    parser.add_argument(
        '--out', required=True, help='a video, .gif or folder to write'
    )
    parser.add_argument(
        '--resize',
        type=at_least(32),
        nargs=2,
        metavar=('HEIGHT', 'WIDTH'),
        help='of what the model sees, and of what is written; default: the '
        'size of the source',
    )
    parser.add_argument(
        '--every',
        type=every,
        default=1,
        metavar='K',
        help="run the net on every K-th frame, or 'adaptive'",
    )
    parser.add_argument(
        '--max-every',
        type=at_least(1),
        metavar='M',
        help='with adaptive: at least on every M-th',
    )
    parser.add_argument(
        '--tolerance',
        type=float,
        metavar='X',
        help='with adaptive: the part of the image that flow may leave '
        'unexplained',
    )
    add_min_contrast(parser)
    add_max_frames(parser)
    parser.add_argument(
        '--labels',
        metavar='DIR',
        help='label maps too (PNG of class ids), and classes.json',
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    names = ('every', 'max_every', 'tolerance')
    full_frames = {
        name: getattr(args, name)
        for name in names
        if getattr(args, name) is not None
    }
    try:
        from ..deployment.video import segment_video

        line = segment_video(
            *(args.video, args.model, args.out, args.resize),
            min_contrast=args.min_contrast,
            labels=args.labels,
            max_frames=args.max_frames,
            **full_frames,
        )
        print(line)
    except KeyboardInterrupt:
        print('stopped by Ctrl-C', file=sys.stderr)
        sys.exit(130)
    except Exception as error:  # as engine.launch.cli, which needs torch
        if os.environ.get('MMSEG_VIDEO_DEBUG'):
            traceback.print_exc()
        text = ' '.join(str(error).split())
        if not isinstance(error, OSError | ValueError):
            text = f'{type(error).__name__}: {text}'
        sys.exit(f'error: {text}')
