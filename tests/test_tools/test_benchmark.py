"""tools/benchmark.py measures what it says; no time is asserted here."""

import json
import sys

from tests.commands import ROOT, TOOLS, call


def test_every_row_has_both_models(root, tmp_path):
    out = tmp_path / 'benchmark.json'
    # In a process of its own: in one that held more memory before, a step
    # adds none to its peak.
    code, output = call(
        *(sys.executable, TOOLS / 'benchmark.py'),
        *(ROOT / 'configs/rnn_unet_street.py', '--baseline'),
        *(ROOT / 'configs/unet_street.py', '--size', 64, 128),
        *('--repeats', 1, '--num-frames', 2, '--out', out),
        *('--data', 2, '--data-root', root),
    )
    assert code == 0, output[-2000:]
    rows = json.loads(out.read_text())['rows']
    assert len(rows) == 6
    assert all(v > 0 for row in rows.values() for v in row.values())
    parameters = rows['parameters (M)']
    assert 1 < parameters['recurrent'] / parameters['framewise'] <= 1.10
