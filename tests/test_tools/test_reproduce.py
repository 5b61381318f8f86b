"""What tools/reproduce.sh does, with a Python that only writes it down."""

import os
import subprocess

import pytest

from tests.commands import TOOLS

SPECS = 7  # of street scenes 1.0
PYTHON = """#!/usr/bin/env bash
[ "$1" = -c ] && exit 0
printf '%s|' "$@" >> "$WRITTEN"
echo >> "$WRITTEN"
[ "${1##*/}" != "${FAIL:-}" ] || exit 3
"""


@pytest.fixture
def reproduce(tmp_path):
    python = tmp_path / 'bin/python'
    python.parent.mkdir()
    python.write_text(PYTHON)
    python.chmod(0o755)
    written = tmp_path / 'written'
    written.touch()
    environment = dict(
        os.environ,
        PATH=f'{python.parent}:{os.environ["PATH"]}',
        WRITTEN=str(written),
    )

    def call(*arguments, **more):
        done = subprocess.run(
            ['bash', TOOLS / 'reproduce.sh', *arguments],
            cwd=tmp_path,
            env=environment | more,
            capture_output=True,
            text=True,
        )
        lines = written.read_text().splitlines()
        return done, [line.rstrip('|').split('|') for line in lines]

    return call


def test_data_then_runs_then_costs_then_results(reproduce):
    done, calls = reproduce('--seeds', '0 2', '--trainings', '0 1')
    assert done.returncode == 0, done.stderr
    tools = [os.path.basename(call[0]) for call in calls]
    assert tools == [
        *['street_scenes.py'] * 2,
        *['ablate.py'] * 2 * SPECS,
        'ablate.py',
        'pool_runs.py',
    ]
    data, runs, costs, pooled = calls[:2], calls[2:-2], *calls[-2:]
    for call, seed in zip(data, '02', strict=True):
        assert call[1].endswith(f'street_scenes/seed{seed}')
        assert call[call.index('--seed') + 1] == seed
        assert {'--all-labels', '--variants'} <= set(call)
    # Every data set has its own folder of runs, and each spec all of them.
    for call in runs:
        root = call[call.index('--data-root') + 1]
        out = call[call.index('--out') + 1]
        assert os.path.basename(root) == os.path.basename(out)
        assert call[call.index('--seeds') + 1 :][:2] == ['0', '1']
        assert os.path.isfile(call[1])
    assert len({call[1] for call in runs}) == SPECS
    assert '--no-costs' not in costs
    at = pooled.index('--runs')
    assert len(pooled[1:at]) == SPECS
    for _, _, spec in (part.partition('=') for part in pooled[1:at]):
        assert os.path.isfile(spec)
    assert [os.path.basename(p) for p in pooled[at + 1 : at + 3]] == [
        'seed0',
        'seed2',
    ]


def test_small_is_small_everywhere(reproduce):
    done, calls = reproduce('--small', '--seeds', '0')
    assert done.returncode == 0, done.stderr
    for call in calls[1:]:
        assert 'train_cfg.max_iters=4' in call


def test_the_survey_is_another_spec_on_one_data_set(reproduce):
    done, calls = reproduce('--survey')
    assert done.returncode == 0, done.stderr
    data, runs, pooled = calls
    assert data[1].endswith('street_scenes/seed0')
    assert os.path.basename(runs[1]) == 'survey.yml'
    assert '--no-costs' in runs
    assert '--seeds' not in runs  # as many as the spec says
    assert pooled[1] == f'bursts/test={runs[1]}'
    assert pooled[pooled.index('--out') + 1].endswith('evidence/survey')
    assert '--choose' not in pooled


def test_a_survey_of_which_some_failed_is_pooled_all_the_same(reproduce):
    done, calls = reproduce('--survey', FAIL='ablate.py')
    assert done.returncode == 3
    assert os.path.basename(calls[-1][0]) == 'pool_runs.py'


def test_a_benchmark_of_which_some_failed_has_no_results(reproduce):
    done, calls = reproduce('--seeds', '0 1', FAIL='ablate.py')
    assert done.returncode == 3
    # The other runs are done all the same.
    assert [os.path.basename(call[0]) for call in calls] == [
        *['street_scenes.py'] * 2,
        *['ablate.py'] * 2 * SPECS,
    ]


@pytest.mark.parametrize('survey', [[], ['--survey']])
def test_committed_runs_are_only_pooled(reproduce, survey):
    done, calls = reproduce('--archived', *survey)
    assert done.returncode == 0, done.stderr
    unpacked, pooled = calls
    assert os.path.basename(unpacked[0]) == 'unpack_runs.py'
    archive, folder = unpacked[-2:]
    assert os.path.isfile(archive)
    assert ('survey' in archive) == bool(survey)
    assert os.path.basename(pooled[0]) == 'pool_runs.py'
    runs = pooled[pooled.index('--runs') + 1]
    assert runs == f'{folder}/seed0'
    said = pooled[pooled.index('--command') + 1]
    assert said.startswith('bash tools/reproduce.sh --archived')
    assert '--trainings' not in said
    # Not where trainings of one's own are.
    assert folder != 'work_dirs/evidence'


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        (['--small', '--archived'], '--archived goes with none of --small'),
        (['--archived', '--trainings', '0'], '--archived goes with none of'),
        (['--jobs', '2', '--archived'], '--archived goes with none of'),
        (['--fast'], "unknown argument '--fast'"),
        (['--seeds'], '--seeds wants a value'),
    ],
)
def test_bad_arguments(reproduce, arguments, sentence):
    done, calls = reproduce(*arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert not calls
