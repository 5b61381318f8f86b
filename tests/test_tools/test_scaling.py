"""tools/dev/scaling.py, rehearsed with two processes; no time is asserted."""

import json
import sys

import pytest

from mmseg_video.experiments.benchmarks.scaling import (
    group_sizes,
    scaling_rows,
)
from tests.commands import TOOLS, call


def test_two_processes_are_measured(tmp_path):
    out = tmp_path / 'scaling'
    code, output = call(
        *(sys.executable, TOOLS / 'dev/scaling.py', 'rnn_unet_street'),
        *('--size', 32, 64, '--num-frames', 2, '--repeats', 1),
        *('--processes', 2, '--out', out),
        OMP_NUM_THREADS='1',
    )
    assert code == 0, output[-2000:]
    rows = json.loads(out.with_suffix('.json').read_text())['rows']
    assert [row['processes'] for row in rows] == [1, 2]
    assert all(row['rate'] > 0 for row in rows)
    assert rows[0]['efficiency'] == 1
    assert 'gloo' in out.with_suffix('.md').read_text()


def test_groups_double_up_to_all():
    assert group_sizes(1) == [1]
    assert group_sizes(2) == [1, 2]
    assert group_sizes(6) == [1, 2, 4, 6]
    assert group_sizes(8) == [1, 2, 4, 8]


def test_what_times_say():
    one = dict(step=2.0, alone=2.0, reduce=0.1)
    two = dict(step=2.5, alone=2.4, reduce=0.4)
    first, second = scaling_rows({1: one, 2: two})
    assert (first['rate'], first['efficiency']) == (0.5, 1)
    assert first['overlap'] is None
    assert second['rate'] == pytest.approx(0.8)
    assert second['efficiency'] == pytest.approx(0.8)
    assert second['without_reduce'] == pytest.approx(2 / 2.4)
    assert second['overlap'] == pytest.approx(0.75)
