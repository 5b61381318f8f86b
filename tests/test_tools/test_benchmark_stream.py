"""tools/benchmark_stream.py and benchmark_speed.py measure what they say; no
time is asserted here."""

import functools
import json

import numpy as np
import torch

from mmseg_video.experiments.benchmarks.speed import _ways
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


def test_what_mixed_precision_is_called_computes_in_it(recurrent):
    frame = np.zeros((64, 128, 3), np.uint8)
    ways = _ways(
        str(recurrent / 'rnn_unet_street.py'), str(recurrent / 'iter_2.pth')
    )
    for name, inferencer in ways.items():
        if 'compiled' in name:
            continue
        seen = []
        hook = inferencer.model.backbone.register_forward_hook(
            lambda module, args, out, seen=seen: seen.append(out[0].dtype)
        )
        inferencer.predict_frame(frame)
        hook.remove()
        half = torch.bfloat16 if 'amp' in name else torch.float32
        assert seen == [half], name
