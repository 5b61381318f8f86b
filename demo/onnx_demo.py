"""Segment a video with an exported model: no torch, no mmseg.

pip install onnxruntime opencv-python
python demo/onnx_demo.py VIDEO.mp4 MODEL.onnx --out OUT.mp4
"""

import argparse
import sys
import time

import cv2
import numpy as np
import onnxruntime


class StreamSegmenter:
    """Maps frames (H, W, 3) uint8 BGR, in order, to label maps (H, W)."""

    def __init__(self, path):
        try:
            self.session = onnxruntime.InferenceSession(
                path, providers=onnxruntime.get_available_providers()
            )
        except Exception as error:  # onnxruntime has a class for each cause
            sys.exit(f"error: the model '{path}' cannot be opened: {error}")
        self.state_names = [
            i.name for i in self.session.get_inputs() if i.name != 'frame'
        ]
        meta = self.session.get_modelmeta().custom_metadata_map
        if 'classes' not in meta:
            sys.exit(f"error: '{path}' was not made by tools/export_onnx.py")
        self.classes = meta['classes'].split(',')
        self.palette = np.array(meta['palette'].split(','), np.uint8).reshape(
            -1, 3
        )
        self.reset()

    def reset(self):
        """The next frame begins a new stream: one zero for each state."""
        zero = np.zeros((1, 1, 1, 1), np.float32)
        self.states = [zero] * len(self.state_names)

    def __call__(self, frame):
        inputs = dict(zip(self.state_names, self.states, strict=True))
        wanted = ['labels', *(f'next_{name}' for name in self.state_names)]
        labels, *self.states = self.session.run(
            wanted, {'frame': frame[None], **inputs}
        )
        return labels[0]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('video')
    parser.add_argument('model')
    parser.add_argument('--out', required=True, help='an .mp4 to write')
    parser.add_argument(
        '--resize', type=int, nargs=2, metavar=('HEIGHT', 'WIDTH')
    )
    args = parser.parse_args()
    if not args.out.lower().endswith(('.mp4', '.mkv', '.avi')):
        sys.exit(f"error: --out '{args.out}' is no video: name an .mp4")
    video = cv2.VideoCapture(args.video)
    readable, frame = video.read()
    if not readable:
        sys.exit(f"error: the video '{args.video}' cannot be opened")
    segment = StreamSegmenter(args.model)
    colours = np.zeros((256, 3), np.uint8)
    colours[: len(segment.palette)] = segment.palette[:, ::-1]
    writer, seconds, count = None, 0.0, 0
    while readable:
        if args.resize:
            frame = cv2.resize(frame, args.resize[::-1])
        start = time.perf_counter()
        labels = segment(frame)
        seconds += time.perf_counter() - start
        picture = cv2.addWeighted(frame, 0.45, colours[labels], 0.55, 0)
        if writer is None:
            writer = cv2.VideoWriter(
                args.out,
                cv2.VideoWriter_fourcc(*'mp4v'),
                video.get(cv2.CAP_PROP_FPS) or 10,
                frame.shape[1::-1],
            )
            if not writer.isOpened():
                sys.exit(f"error: cannot write '{args.out}'")
        writer.write(picture)
        count += 1
        readable, frame = video.read()
    writer.release()
    print(f'{args.out}: {count} frames, model {count / seconds:.1f} frames/s')


if __name__ == '__main__':
    main()
