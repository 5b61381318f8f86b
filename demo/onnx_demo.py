"""Segment a video with an exported model: no torch, no mmseg.

pip install onnxruntime && pip install --no-deps mmseg-video
pip install opencv-python pillow av tqdm
python demo/onnx_demo.py VIDEO.mp4 MODEL.onnx --out OUT.mp4
"""

import argparse
import sys

from mmseg_video.deployment.video import segment_video


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('video', help='a file, folder, glob or camera')
    parser.add_argument('model', help='made by tools/export_onnx.py')
    parser.add_argument(
        '--out', required=True, help='a video, .gif or folder to write'
    )
    parser.add_argument(
        '--resize', type=int, nargs=2, metavar=('HEIGHT', 'WIDTH')
    )
    parser.add_argument(
        '--every',
        default='1',
        metavar='K',
        help="run the net on every K-th frame, or 'adaptive'",
    )
    args = parser.parse_args()
    every = int(args.every) if args.every.isdecimal() else args.every
    try:
        line = segment_video(
            *(args.video, args.model, args.out, args.resize), every=every
        )
        print(line)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')


if __name__ == '__main__':
    main()
