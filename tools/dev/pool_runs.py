"""Pool the runs of several data sets and trainings into results.json.

    python tools/dev/pool_runs.py \
        bursts/test=configs/ablations/street_scenes.yml \
        bursts/val=configs/ablations/street_scenes_val.yml \
        --runs work_dirs/evidence/seed0 work_dirs/evidence/seed1 \
        --data-roots data/street_scenes/seed0 data/street_scenes/seed1 \
        --benchmark 'street scenes 1.0' --out work_dirs/results/street_scenes

--runs are what tools/ablate.py --out was given, --data-roots what --data-root
was. Means over runs, and differences to the baseline with 95 % intervals of a
paired bootstrap over data sets, trainings and sequences.
"""

import argparse
from pathlib import Path

from mmseg_video.cli.arguments import (
    CfgOptions,
    at_least,
    tool_parser,
)
from mmseg_video.engine import registration  # noqa: F401
from mmseg_video.engine.launch import cli
from mmseg_video.experiments.evidence import choose, gather
from mmseg_video.experiments.output import to_json
from mmseg_video.io.atomic import write_text

SLOWEST = 1.15  # times the baseline's latency: what the default may cost


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('specs', nargs='+', metavar='DATA/SPLIT=SPEC')
    parser.add_argument('--runs', nargs='+', type=Path, required=True)
    parser.add_argument('--data-roots', nargs='+', required=True)
    parser.add_argument('--benchmark', required=True, help='its name')
    parser.add_argument('--command', help='what made the runs')
    parser.add_argument(
        '--resamples', type=at_least(1), default=1000, help='of the bootstrap'
    )
    parser.add_argument(
        '--choose',
        nargs=2,
        metavar=('DATA', 'SPLIT'),
        help='where the rule chooses the best entry',
    )
    parser.add_argument(
        '--laterals',
        nargs='+',
        default=[],
        metavar='ENTRY',
        help='that have recurrent laterals: the best of them is the default, '
        'the best of the others stands beside it',
    )
    parser.add_argument(
        '--framewise',
        nargs='+',
        default=[],
        metavar='ENTRY',
        help='that use no past: more training of the baseline, say. The rule '
        'passes them by',
    )
    parser.add_argument(
        '--data-seeds',
        nargs='+',
        type=int,
        help='of the data roots; by default read there',
    )
    parser.add_argument(
        '--over',
        nargs='+',
        default=[],
        metavar='ENTRY',
        help='compare all with these too: the baseline trained on, say',
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=CfgOptions, help="the runs' own"
    )
    parser.add_argument('--out', type=Path, required=True)
    args = parser.parse_args()
    try:
        args.specs = [
            (*where.split('/'), spec)
            for where, spec in (part.split('=') for part in args.specs)
        ]
    except ValueError:
        parser.error('specs are DATA/SPLIT=SPEC, such as bursts/test=a.yml')
    if len(args.runs) != len(args.data_roots):
        parser.error('--runs and --data-roots go together, one each')
    return args


@cli
def main():
    args = parse_args()
    results = dict(benchmark=args.benchmark, command=args.command)
    results |= gather(
        args.specs,
        args.runs,
        args.data_roots,
        args.resamples,
        args.cfg_options,
        args.data_seeds,
        args.over,
    )
    if args.choose:
        tested = {row['entry'] for row in results['rows']}
        alone = {*args.framewise, results['baseline']}
        for key, names in (
            ('best', tested & {*args.laterals}),
            (
                'best_without_laterals',
                tested - {*args.laterals} - alone,
            ),
        ):
            results[key] = choose(results, *args.choose, names, SLOWEST)
    path = args.out / 'results.json'
    write_text(path, to_json(results))
    print(f'{len(results["rows"])} figures in {path}')


if __name__ == '__main__':
    main()
