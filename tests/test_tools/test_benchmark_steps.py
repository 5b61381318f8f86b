"""tools/benchmark_steps.py: memory is asserted, time is not."""

import json
import sys

import torch

from tests.commands import TOOLS, call


def test_a_run_that_was_stopped_goes_on(tmp_path, run_tool):
    """First in a process of its own: it forks, and must have no threads
    yet. Then all memory is known."""
    command = [
        *(TOOLS / 'benchmark_steps.py', '--size', 64, 128, '--num-frames'),
        *(2, 4, '--networks', 'gated EMA', '--ways', 'all gradients'),
        *("ref_grad='states'", '--out', tmp_path, '--repeats'),
    ]
    # As many as here: figures of other numbers are not those.
    threads = str(torch.get_num_threads())
    code, output = call(sys.executable, *command, 1, OMP_NUM_THREADS=threads)
    assert code == 0, output[-2000:]
    code, output = run_tool(*command, 2)
    assert code == 0, output[-2000:]
    report = json.loads((tmp_path / 'steps.json').read_text())
    rows = {(r['way'], r['num_frames']): r for r in report['rows'][1:]}
    assert len(rows) == 4
    assert report['rows'][0]['ratio'] == 1
    assert all(row['seconds'] > 0 for row in report['rows'])
    # At this size most of a step's memory is the gradients of the weights.
    plain, states = (
        rows[way, 4] for way in ('all gradients', "ref_grad='states'")
    )
    assert plain['tensors'] > states['tensors'] > 0
    assert plain['mebibytes'] > 0
    assert states['per_frame'] < 0.3 * plain['per_frame']
    assert (
        "| gated EMA | ref_grad='states' | 4 |"
        in (tmp_path / 'steps.md').read_text()
    )
    stored = list((tmp_path / 'store').iterdir())
    assert len(stored) == 5 + 2  # memory of the cases, rounds
