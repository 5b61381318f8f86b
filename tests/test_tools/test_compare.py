"""tools/compare.py, from the tests of both models to the report."""

import json

import pytest
import torch
from PIL import Image

from mmseg_video.cli.compare import main, parse_args
from tests.commands import TOOLS, follow_here


def test_writes_the_comparison(
    run_tool, framewise, awake, tmp_path, monkeypatch
):
    monkeypatch.setattr('mmseg_video.experiments.launch.follow', follow_here)
    out = tmp_path / 'comparison'
    recurrent = awake.parent / 'rnn_unet_street.py'
    command = [
        *(TOOLS / 'compare.py', recurrent, awake),
        *('--baseline', framewise / 'unet_street.py'),
        *(framewise / 'iter_2.pth', '--out', out, '--degrade', 0, 0.5),
    ]
    code, output = run_tool(*command)
    assert code == 0, output[-2000:]
    report = json.loads((out / 'comparison.json').read_text())
    figures = report['figures']
    assert {'mIoU', 'TC_ETC', 'flicker', 'parameters (M)'} <= set(figures)
    assert figures['flicker']['low'] <= figures['flicker']['high']
    assert figures['parameters (M)']['difference'] > 0
    assert len(report['classes']) == 19
    assert (out / 'comparison.md').read_text() in output
    degraded = json.loads((out / 'degraded.json').read_text())
    assert degraded['0.0']['mIoU'] != degraded['0.5']['mIoU']
    for name in ('comparison.png', 'degraded.png'):
        assert Image.open(out / name).width > 500
    log = out / 'model/seed0'
    logs = {path: path.stat().st_mtime_ns for path in log.glob('test_*.log')}
    assert len(logs) == 2
    assert '0 of 4 tests are done' in output
    # Not tested anew.
    code, output = run_tool(*command)
    assert code == 0
    assert '4 of 4 tests are done' in output
    assert logs == {path: path.stat().st_mtime_ns for path in logs}
    # But for a checkpoint that is trained anew.
    checkpoint = torch.load(awake, weights_only=False)
    checkpoint['state_dict']['decode_head.conv_seg.bias'] += 1
    again = tmp_path / 'again.pth'
    torch.save(checkpoint, again)
    command[2] = again
    code, output = run_tool(*command)
    assert code == 0
    assert '2 of 4 tests are done' in output


def test_a_name_stands_for_its_published_weights(capsys):
    args = ['rnn_unet_street', '--baseline', 'unet_street', '--out', 'out']
    read = parse_args(args)
    assert (read.config, read.checkpoint) == ('rnn_unet_street', None)
    assert read.baseline == ('unet_street', None)
    read = parse_args(['a.py', '--baseline', 'b', 'c.pth', '--out', 'o', 'd'])
    assert (read.config, read.checkpoint) == ('a.py', 'd')
    assert read.baseline == ('b', 'c.pth')
    with pytest.raises(SystemExit):
        main(['unet_street', '--baseline', 'unet_cityscapes', '--out', 'o'])
    said = capsys.readouterr().err
    assert said.startswith("error: no weights are published for 'unet_citysc")


def test_what_is_not_there_is_one_sentence(run_tool, framewise, tmp_path):
    config = framewise / 'unet_street.py'
    code, output = run_tool(
        *(TOOLS / 'compare.py', config, 'no/such.pth'),
        *('--baseline', config, framewise / 'iter_2.pth'),
        *('--out', tmp_path / 'out'),
    )
    assert code == 1
    last = output.strip().splitlines()[-1]
    assert last == "error: no checkpoint 'no/such.pth'"
