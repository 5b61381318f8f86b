"""tools/benchmark_memory.py: memory is asserted, time is not."""

import json
import sys

import pytest
import torch

from mmseg_video.experiments.benchmarks.training_step import train_cost
from tests.commands import ROOT, TOOLS, call


def test_every_way_is_measured_and_truncation_saves_memory(tmp_path):
    """In a process of its own: it forks, and must have no threads yet."""
    out = tmp_path / 'memory'
    code, output = call(
        *(sys.executable, TOOLS / 'benchmark_memory.py'),
        *(ROOT / 'configs/rnn_unet_street.py', '--size', 64, 128),
        *('--num-frames', 1, 12, '--repeats', 1, '--out', out),
        *('--ways', 'all gradients', 'bptt=5'),
        OMP_NUM_THREADS='1',
    )
    assert code == 0, output[-2000:]
    rows = json.loads(out.with_suffix('.json').read_text())['rows']
    assert len(rows) == 4
    assert all(row['seconds'] > 0 for row in rows)
    peak = {(r['num_frames'], r['way']): r['mebibytes'] for r in rows}
    plain = peak[12, 'all gradients']
    assert plain > 1.5 * peak[1, 'all gradients']
    assert plain > 1.3 * peak[12, 'bptt=5']
    assert '| 12 |' in out.with_suffix('.md').read_text()
    assert out.with_suffix('.png').stat().st_size > 1000


def test_what_cannot_be_trained_is_said():
    config = ROOT / 'configs/rnn_unet_street.py'
    with pytest.raises(RuntimeError, match=r'ValueError.*burn_in=5 leaves'):
        train_cost(
            *(config, 2, (32, 64), torch.device('cpu')),
            train_cfg=dict(burn_in=5),
        )
    config = ROOT / 'configs/unet_street.py'
    with pytest.raises(RuntimeError, match=r'framewise .* recurrent config'):
        train_cost(config, 2, (32, 64), torch.device('cpu'))
