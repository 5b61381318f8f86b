"""The table of CamVid's trainings."""

import json

from mmseg_video.experiments.benchmark_results import BenchmarkResults
from mmseg_video.experiments.camvid_table import camvid_table


def row(entry, value, difference, low=None, high=None, **where):
    place = dict(data='camvid_15hz', split='val', protocol='stream')
    place |= dict(subset='all', figure='mIoU', sd=None, runs=2)
    figures = dict(value=value, difference=difference, low=low, high=high)
    return dict(entry=entry, **place | figures | where)


def test_differences_with_their_intervals(tmp_path):
    flicker = dict(figure='flicker_static')
    degraded = dict(protocol='stream_degrade0.2')
    test = dict(data='camvid', split='test')
    rows = [
        row('past', 72.5, 1.5, 1.0, 2.0),
        row('past', 2.0, -0.5, -0.6, -0.4, **flicker),
        row('past', 60.0, -1.0, -2.0, 0.5, **test, runs=1),
        row('past', 51.0, 1.0, 1.0, 1.0, **degraded, runs=1),
        row('net', 71.0, 0),
        row('net', 2.5, 0, **flicker),
        row('net', 50.0, 0, **degraded),
        row('net', 70.0, 0, **degraded | dict(subset='clean')),
        row('net', 61.0, 0, **test),
    ]
    path = tmp_path / 'results.json'
    entries = {name: dict(title=name) for name in ('past', 'net', 'untested')}
    path.write_text(
        json.dumps(dict(baseline='net', entries=entries, rows=rows))
    )
    lines = camvid_table(BenchmarkResults(path)).strip().splitlines()
    cells = [[c.strip() for c in line.split('|')[1:-1]] for line in lines]
    head, _, net, past = cells
    assert net[0] == '**baseline:** net'
    assert net[1:] == ['71.00', '', '50.00', '70.00', '61.00', '2.50', '', '2']
    assert past[1:] == [
        *('+1.50 (+1.00 to +2.00)', '', '+1.00 [1]', ''),
        *('-1.00 (-2.00 to +0.50) [1]', '-20 %', '', '2'),
    ]
    assert len(head) == len(net)
