"""Fill the tables of README and documentation from results.json, those of
surveys from what was run of them, and the costs of the configs' READMEs from
the model table.

python tools/dev/results_tables.py           # writes them
python tools/dev/results_tables.py --check   # exit status 1 if one is old
"""

import argparse
import json
import sys
from pathlib import Path

from mmseg_video.cli.arguments import tool_parser
from mmseg_video.engine.launch import cli
from mmseg_video.experiments.evidence_tables import fill_tables
from mmseg_video.experiments.model_table import fill_costs
from mmseg_video.experiments.survey_table import fill_surveys
from mmseg_video.io.atomic import write_text

ROOT = Path(__file__).resolve().parents[2]


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument(
        '--check', action='store_true', help='write nothing, only compare'
    )
    return parser.parse_args()


@cli
def main():
    args = parse_args()
    table = ROOT / 'work_dirs/results/model_table/model_table.json'
    costs = {
        row['name']: row for row in json.loads(table.read_text())['models']
    }
    pages = ('README.md', 'docs/en/**/*.md', 'configs/*/README.md')
    old = []
    for path in sorted({p for page in pages for p in ROOT.glob(page)}):
        text = path.read_text()
        filled = fill_surveys(fill_tables(text, ROOT), ROOT)
        filled = fill_costs(filled, costs)
        if filled != text:
            old.append(path)
            if not args.check:
                write_text(path, filled)
    for path in old:
        print(path.relative_to(ROOT), 'is old' if args.check else 'is filled')
    sys.exit(1 if old and args.check else 0)


if __name__ == '__main__':
    main()
