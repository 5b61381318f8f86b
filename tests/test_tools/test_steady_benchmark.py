"""tools/dev/steady_benchmark.py: what it measures is what the package
predicts."""

import json
import re
from dataclasses import replace

import pytest

from mmseg_video.apis.testing import evaluate
from mmseg_video.evaluation.protocol import Protocol
from mmseg_video.experiments.benchmarks.live import (
    Way,
    all_in_order,
    newest_only,
)
from mmseg_video.experiments.benchmarks.steady_settings import DEFAULT
from tests.commands import TOOLS, call_here
from tests.runs import config


def test_figures_are_those_of_a_test(framewise, root, tmp_path):
    checkpoint, out = framewise / 'iter_2.pth', tmp_path / 'steady'
    code = call_here(
        TOOLS / 'dev/steady_benchmark.py',
        *(framewise / 'unet_street.py', checkpoint),
        *('--net', 'tiny', '--data', 'street', '--out', out, '--timed'),
        *('--cache', tmp_path / 'cache', '--report'),
        *('--settings', 'filters', 'paces', 'held'),
    )
    assert code == 0
    reports = [
        json.loads(path.read_text())
        for path in (out / 'street/tiny').glob('*.json')
    ]
    cfg = config('steady_unet', root, tmp_path / 'test')
    # The benchmark chooses settings, and so reads the validation video.
    cfg.test_dataloader = cfg.val_dataloader
    config_path = tmp_path / 'steady_unet_street.py'
    cfg.dump(config_path)
    for every in (1, 3):
        setting = replace(DEFAULT, every=every).plain
        (figures,) = [
            r['figures'] for r in reports if r.get('setting') == setting
        ]
        protocol = Protocol(stream=True, every=every)
        evaluate(
            *(str(config_path), str(checkpoint), protocol),
            *(str(tmp_path / 'test'), str(root)),
            temporal=True,
        )
        path = tmp_path / f'test/test_{protocol.name}.json'
        metrics = json.loads(path.read_text())['metrics']
        for name in ('mIoU', 'flicker', 'TC_ETC'):
            # Scores are kept in half precision.
            assert figures[name] == pytest.approx(metrics[name], abs=0.3)
    text = (out / 'steady_street.md').read_text()
    assert '| offline | ' in text
    assert 'Milliseconds a frame' in text
    # With the intervals of its differences: all, clean and degraded frames;
    # static-label flicker wants labels of all frames.
    default = text[text.index('| the default |') :].splitlines()[0]
    assert len(re.findall(r'[+-]\d+\.\d\d \([+-]\d+\.\d\d to ', default)) == 3
    assert (out / 'steady_street.png').stat().st_size


def test_when_a_slow_net_is_done():
    """A camera of 10 frames a second, a net of 4."""
    waits = all_in_order(4, 10, 0.25)
    assert list(waits.values()) == pytest.approx([0.25, 0.5, 0.75, 1.0])
    newest = newest_only(8, 10, 0.25)
    assert newest == pytest.approx({0: 0.25, 2: 0.5, 5: 0.75, 7: 1.0})
    # A net as fast as the camera leaves no frame out.
    assert list(newest_only(8, 10, 0.1)) == list(range(8))
    way = Way({i: i for i in newest}, newest)
    shown = [way.shown(i, 10) for i in range(8)]
    assert shown == [None, None, 0, 0, 2, 2, 2, 5]


def test_a_net_slower_than_its_camera(framewise, root, tmp_path):
    code = call_here(
        TOOLS / 'dev/live_benchmark.py',
        *(framewise / 'unet_street.py', framewise / 'iter_2.pth'),
        *('--data-root', root, '--fps', 20, '--periods', 3),
        *('--out', tmp_path / 'live'),
    )
    assert code == 0
    report = json.loads((tmp_path / 'live.json').read_text())
    rows = {row[1]: row[2:] for row in report['rows']}
    assert rows['live'][0] == rows['each frame waits'][0] == 100
    assert rows['the newest frame, the last map held'][0] < 100
    assert rows['each frame waits'][2] == pytest.approx(
        150 + 100 * (report['frames'] - 1)
    )
    assert '| live |' in (tmp_path / 'live.md').read_text()
