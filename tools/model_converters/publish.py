"""A checkpoint as it is published: weights in half precision, nothing else.

python tools/model_converters/publish.py work_dirs/unet/iter_80000.pth OUT.pth

Prints the SHA-256 for the model card.
"""

from mmseg_video.cli.arguments import tool_parser
from mmseg_video.engine.launch import cli
from mmseg_video.engine.publishing import publish


@cli
def main():
    parser = tool_parser(__doc__)
    parser.add_argument('checkpoint', help='of a training')
    parser.add_argument('out', help='the .pth to write')
    args = parser.parse_args()
    print(publish(args.checkpoint, args.out), args.out)


if __name__ == '__main__':
    main()
