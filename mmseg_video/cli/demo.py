"""Segment a video, frame by frame with carried states, and draw it.

mmseg-video demo INPUT --config CONFIG --checkpoint CHECKPOINT \
    [--baseline CONFIG CHECKPOINT] --out OUT.gif|OUT.mp4|OUT.webm|FOLDER

INPUT is a video file, a folder of frames, a quoted glob, a camera number or
an address (rtsp://...). Decoding, models and drawing work at the same time.
Ctrl-C ends a camera; what was seen until then is written.
"""

import argparse

from ..apis.video_demo import draw_video
from ..engine.arguments import add_trust, at_least
from ..engine.launch import cli


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('input')
    parser.add_argument(
        '--config', required=True, help='a path, or a name of the zoo'
    )
    parser.add_argument('--checkpoint', help='default: the published one')
    parser.add_argument(
        '--baseline',
        nargs=2,
        metavar=('CONFIG', 'CHECKPOINT'),
        help='a second model, drawn beside the first',
    )
    parser.add_argument(
        '--out', required=True, help='.gif, .mp4, .webm or a folder'
    )
    parser.add_argument('--device')
    parser.add_argument('--amp', action='store_true', help='mixed precision')
    parser.add_argument(
        '--broken',
        choices=['error', 'skip'],
        default='error',
        help='what to do with a frame that cannot be read',
    )
    parser.add_argument('--opacity', type=float, default=0.55)
    parser.add_argument(
        '--max-frames', type=at_least(1), help='stop after so many'
    )
    parser.add_argument(
        '--resize',
        type=at_least(32),
        nargs=2,
        metavar=('HEIGHT', 'WIDTH'),
        help='what the model is given; default: the size of the source',
    )
    parser.add_argument(
        '--panel-width',
        type=at_least(32),
        default=480,
        help='of a drawn panel in a GIF or MP4, in pixels',
    )
    parser.add_argument(
        '--fps',
        type=float,
        help="default: each frame at the source's time, else 10",
    )
    add_trust(parser)
    return parser.parse_args()


@cli
def main():
    args = parse_args()
    report = draw_video(
        args.input,
        args.out,
        args.config,
        args.checkpoint,
        baseline=args.baseline,
        device=args.device,
        amp=args.amp,
        broken=args.broken,
        max_frames=args.max_frames,
        size=args.resize and tuple(args.resize),
        fps=args.fps,
        panel_width=args.panel_width,
        opacity=args.opacity,
    )
    print(report)
