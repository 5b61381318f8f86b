"""Fill the page that says what Cityscapes takes on several GPUs.

    python tools/dev/gpu_plan.py             # writes it
    python tools/dev/gpu_plan.py --check     # exit status 1 if it is old
    python tools/dev/gpu_plan.py --gpu-day FOLDER/gpu_day.json --gpus 8 --print

The figures come from what ``tools/gpu_day.sh`` measured on one GPU, and
``tools/dev/data_benchmark.py`` on one core.
"""

import json
import re
import sys
from pathlib import Path

from mmseg_video.cli.arguments import at_least, tool_parser
from mmseg_video.engine.launch import cli
from mmseg_video.experiments.gpu_plan import (
    Measured,
    disk_table,
    loading_table,
    plan_table,
)
from mmseg_video.io.atomic import write_text

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / 'docs/en/advanced_guides/cityscapes_on_gpus.md'


def parse_args():
    parser = tool_parser(__doc__)
    parser.add_argument(
        '--gpu-day',
        type=Path,
        default=ROOT / 'work_dirs/results/gpu/gpu_day.json',
    )
    parser.add_argument(
        '--data',
        type=Path,
        default=ROOT / 'work_dirs/results/data_path/benchmark.json',
        help='what tools/dev/data_benchmark.py wrote',
    )
    parser.add_argument('--gpus', type=at_least(1), default=4)
    parser.add_argument(
        '--print', action='store_true', help='only print the tables'
    )
    parser.add_argument(
        '--check', action='store_true', help='write nothing, only compare'
    )
    return parser.parse_args()


@cli
def main():
    args = parse_args()
    content = json.loads(args.gpu_day.read_text())
    data = json.loads(args.data.read_text())
    tables = dict(
        plan=plan_table(content, args.gpus),
        loading=loading_table(content, data),
        disk=disk_table(data),
        device=f'{args.gpus} x {Measured(content).device}\n',
    )
    if args.print:
        print('\n'.join(tables.values()), end='')
        return
    text = PAGE.read_text()
    filled = re.sub(
        r'(<!-- (\w+), computed -->\n).*?(<!-- end -->)',
        lambda found: f'{found[1]}\n{tables[found[2]]}\n{found[3]}',
        text,
        flags=re.DOTALL,
    )
    if args.check:
        sys.exit(filled != text)
    if filled != text:
        write_text(PAGE, filled)
        print(f'{PAGE.relative_to(ROOT)} is filled')


if __name__ == '__main__':
    main()
