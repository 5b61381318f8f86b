"""What a long stream costs, with a trained model.

    python tools/benchmark_stream.py configs/rnn_unet_street.py CHECKPOINT \
        --size 128 256 --frames 2000 [--onnx MODEL.onnx]

Makes a video of street scenes. Runs some of it through each part alone
(decoding, model, drawing and writing), then all of it through all parts at
the same time: frames/s against the model alone; time and memory of the last
100 frames against the first; ONNX Runtime against PyTorch.
"""

from mmseg_video.cli.arguments import (
    add_files,
    add_loading,
    add_size,
    at_least,
    tool_parser,
)
from mmseg_video.engine.launch import cli
from mmseg_video.experiments.benchmarks.stream import ENDS, benchmark_stream


def parse_args():
    parser = tool_parser(__doc__)
    add_files(parser)
    add_size(parser, (128, 256))
    parser.add_argument(
        '--frames',
        type=at_least(2 * ENDS),
        default=2000,
        dest='num_frames',
    )
    parser.add_argument('--onnx', help='the same model, exported')
    parser.add_argument('--out', help='write the figures to this JSON file')
    add_loading(parser)
    return parser.parse_intermixed_args()


@cli
def main():
    benchmark_stream(**vars(parse_args()))


if __name__ == '__main__':
    main()
