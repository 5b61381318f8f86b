"""tools/benchmark_stream.py and benchmark_speed.py measure what they say; no
time is asserted here."""

import functools
import json

import torch

from tests.commands import TOOLS, call_here


def test_every_part_alone_and_all_at_once(recurrent, tmp_path):
    out, onnx = tmp_path / 'stream.json', tmp_path / 'model.onnx'
    model = (recurrent / 'rnn_unet_street.py', recurrent / 'iter_2.pth')
    size = ('--size', 64, 128)
    assert call_here(TOOLS / 'export_onnx.py', *model, onnx, *size) == 0
    code = call_here(
        *(TOOLS / 'benchmark_stream.py', *model, *size),
        *('--frames', 200, '--onnx', onnx, '--out', out),
    )
    assert code == 0
    figures = json.loads(out.read_text())
    assert figures['frames'] == 200
    assert figures['ONNX Runtime / PyTorch'] > 0
    alone = [v for k, v in figures.items() if k.endswith('alone, ms')]
    assert len(alone) == 3
    one_by_one = figures['one after the other, frames/s']
    assert one_by_one == 1000 / sum(alone)
    assert figures['model alone, frames/s'] > one_by_one


def test_every_way_to_compute(recurrent, tmp_path, monkeypatch):
    eager = functools.partial(torch.compile, backend='eager')
    monkeypatch.setattr(torch, 'compile', eager)
    out = tmp_path / 'speed.json'
    code = call_here(
        TOOLS / 'benchmark_speed.py',
        *(recurrent / 'rnn_unet_street.py', '--size', 64, 128),
        *(
            '--checkpoint',
            recurrent / 'iter_2.pth',
            '--repeats',
            3,
            '--frames',
            2,
        ),
        *('--out', out),
    )
    assert code == 0
    ways = json.loads(out.read_text())['ways']
    assert len(ways) == 8
    assert ways['plain']['ratio'] == 1
    for name, row in ways.items():
        assert row['changed_pixels'] < (5 if 'amp' in name else 0.1)
