"""The model table: what every config costs, beside its framewise baseline.

    python tools/model_table.py                               # all configs
    python tools/model_table.py configs/lstm_icnet/*.py --latency
    python tools/model_table.py --missing --out work_dirs/results/model_table

Parameters, GFLOPs of one streamed frame (a multiplication with its addition
counts once) and, with --latency, the time of a streamed frame in units of the
baseline's: medians of repeats in turn. The framewise baseline is what the
config's metafile.yml names. Weights are random: costs only.

Every figure is kept under --out, and not measured again until the model
changes. With --missing the rows of the table that is there stay as they are,
if their models have as many parameters as then.
A config that fails is reported at the end.
"""

from pathlib import Path

from mmseg_video.cli.arguments import add_size, at_least, tool_parser
from mmseg_video.engine.launch import cli
from mmseg_video.experiments import write_model_table
from mmseg_video.experiments.costs import chosen_device

ROOT = Path(__file__).resolve().parents[1]


def parse_args():
    parser = tool_parser(__doc__)
    parser.add_argument('configs', nargs='*', help='instead of all')
    add_size(parser, minimum=1)
    parser.add_argument(
        '--latency', action='store_true', help='measure it too: minutes'
    )
    parser.add_argument(
        '--missing',
        action='store_true',
        help='only configs that the table in --out has no row of',
    )
    parser.add_argument('--repeats', type=at_least(1), default=5)
    parser.add_argument(
        '--device',
        type=chosen_device,
        default='',
        help='for --latency; default: the GPU',
    )
    parser.add_argument(
        '--out',
        type=Path,
        default='work_dirs/model_table',
        help='folder of the table (.md, .csv, .json) and of what is done',
    )
    return parser.parse_args()


@cli
def main():
    write_model_table(ROOT, **vars(parse_args()))


if __name__ == '__main__':
    main()
