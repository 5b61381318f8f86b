"""The tables, figures and values of the report, from the committed results.

    python tools/report_tables.py            # into docs/report/generated/
    python tools/report_tables.py --digest   # after a build: report.sha256

`bash tools/build_report.sh` does both around the build of the PDF.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / 'dev'))

from report import digest
from report.sources import RESULTS, Results
from report.write import FOLDER, write_all

from mmseg_video.cli.arguments import tool_parser
from mmseg_video.experiments.benchmark_results import ResultsError


def parse_args():
    parser = tool_parser(__doc__)
    parser.add_argument(
        '--results', type=Path, default=RESULTS, help='folder of the results'
    )
    parser.add_argument(
        '--folder', type=Path, default=FOLDER, help='of the report'
    )
    parser.add_argument(
        '--digest',
        action='store_true',
        help='write which sources the PDF was built from',
    )
    return parser.parse_args()


def main():
    args = parse_args()
    if args.digest:
        found = digest.digests(args.folder)
        (args.folder / digest.SIDECAR).write_text(digest.as_text(found))
        return
    paths = write_all(Results(args.results), args.folder)
    print(f'{len(paths)} files written to {paths[0].parent}')


if __name__ == '__main__':
    try:
        main()
    except (ResultsError, FileNotFoundError) as error:
        sys.exit(f'error: {error}')
