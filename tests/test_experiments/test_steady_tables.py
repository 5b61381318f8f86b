"""Tables of steadied nets say what was measured."""

import json
from pathlib import Path

import pytest

from mmseg_video.experiments.benchmarks.steady_report import (
    report_of,
    write_reports,
)
from mmseg_video.experiments.benchmarks.steady_settings import REPORTED
from mmseg_video.experiments.evidence_tables import fill_tables

RESULTS = Path(__file__).resolve().parents[2] / 'work_dirs/results/steady'
HELD = 'the default, flat and dark frames held'


def write(folder, setting, miou, flicker, interval=None, **others):
    """What the benchmark writes of a setting."""
    figures = dict(mIoU=miou, flicker_static=flicker, full_frames=100.0)
    differences = dict(mIoU=interval) if interval else {}
    report = dict(
        setting=REPORTED[setting].plain,
        figures=figures | others,
        differences=differences,
        intervals_over='40 sequences',
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f'{REPORTED[setting].key}.json'
    path.write_text(json.dumps(report))


@pytest.fixture
def folder(tmp_path):
    """Two nets, of which one gains; the other gains, the worse its frames."""
    for net, gain in (('a', 1.5), ('b', -0.25)):
        video = tmp_path / 'camvid_val' / net
        write(video, 'the net alone', 50.0, 4.0)
        write(video, 'the default', 50 + gain, 3.0, [gain, -1.0, 2.0])
    write(video, 'every 3', 49.0, 5.0, [-1.0, -2.0, -0.5])
    video = tmp_path / 'camvid_val_degrade0.2/a'
    write(video, 'the net alone', 40.0, 20.0)
    write(video, HELD, 44.0, 5.0, [4.0, 3.0, 5.0])
    return tmp_path


def filled(root, path, name):
    page = f'<!-- table: {path} {name} -->\n<!-- end of table -->'
    return fill_tables(page, root)


def test_the_page_has_intervals_and_the_worst_net(folder):
    for path in write_reports(folder):
        assert path.stat().st_size
    text = (folder / 'steady_camvid_val.md').read_text()
    assert '| the default | 51.50 | +1.50 (-1.00 to +2.00) | 3.00 |' in text
    assert 'bootstrap over 40 sequences.' in text
    # Nobody's difference to itself; no halves where none were measured.
    assert '| the net alone | 50.00 |  | 4.00 | 100.00 |' in text
    assert 'half' not in text
    worst = text[text.index('## All nets') :]
    assert '| the default | +0.62 | -0.25 | -25.00 | -25.00 |' in worst
    assert '| every 3 | -1.00 | -1.00 | +25.00 | +25.00 |' in worst


def test_tables_of_several_nets(folder):
    table = filled(folder, 'camvid_val', 'steady_filters')
    assert '|  | a: mIoU | flicker | b: mIoU | flicker |' in table
    assert '| the net alone | 50.00 | 4.00 % | 50.00 | 4.00 % |' in table
    assert '| +1.50 | -25 % | -0.25 | -25 % |' in table
    table = filled(folder, 'camvid_val', 'steady_paces')
    assert '| every 3rd frame |  |  | -1.00 | +25 % |' in table


def test_flow_of_a_file_and_of_one_with_b_frames(tmp_path):
    for name, gain in (('file', 1.0), ('file_bframes', -1.0)):
        write(tmp_path / name / 'net', 'the net alone', 50.0, 4.0)
        write(tmp_path / name / 'net', 'every 3', 50 + gain, 3.0)
    table = filled(tmp_path, 'file', 'steady_flows')
    assert '|  | no B-frames: mIoU | flicker | three in a row: mIoU |' in table
    row = (
        '| DIS medium, the default, every 3rd frame | +1.00 | -25 % | -1.00 |'
    )
    assert row in table


def test_the_front_page_has_the_worst_net_first(folder):
    table = filled(folder, '.', 'steady_front')
    assert '| 50.0 to 50.0 | **-0.2 to +1.5** | 4.0 to 4.0 |' in table
    assert '| 40.0 to 40.0 | **+4.0 to +4.0** |' in table
    assert '**-75 to -75 %**' in table


def test_the_worst_case_is_that_of_all_nets_and_videos(folder):
    video = folder / 'street/net'
    write(video, 'the net alone', 50.0, 4.0, mIoU_clean=60.0)
    write(video, 'the default', 52.0, 3.8, mIoU_clean=59.0)
    table = filled(folder, '.', 'steady_worst')
    line = next(t for t in table.splitlines() if 'filter of `steady()`' in t)
    where = '| -1.00 | street, net, clean frames | -5 % | street, net |'
    assert line.endswith(where)


def test_logits_and_probabilities_side_by_side(folder):
    video = folder / 'street/net'
    write(video, 'the net alone', 50.0, 4.0, mIoU_clean=60.0)
    write(video, 'of the logits', 51.0, 2.0, mIoU_clean=58.0)
    write(video, 'the default', 52.0, 3.0, mIoU_clean=61.0)
    lines = filled(folder, '.', 'steady_averages').splitlines()
    row = (
        '| street, net | +1.00 | -2.00 |  | -50 % | +2.00 | +1.00 |  | -25 % |'
    )
    assert row in lines
    assert len(lines) == 7  # none where one of them is missing


def test_a_table_with_intervals(tmp_path):
    subsets = dict(mIoU_clean=60.0, mIoU_degraded=20.0)
    write(tmp_path / 'net', 'the net alone', 50.0, 4.0, **subsets)
    write(tmp_path / 'net', HELD, 52.0, 2.0, [2.0, 1.0, 3.0], **subsets)
    table = filled(tmp_path, '.', 'steady_intervals')
    assert '| the net alone | 50.00 | 60.00 | 20.00 | 4.00 % |' in table
    assert '| +2.00 (+1.00 to +3.00) |  |  | -50 % |' in table


def test_nothing_measured_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match='steady_benchmark'):
        filled(tmp_path, 'none', 'steady_filters')
    with pytest.raises(ValueError, match='run the benchmark first'):
        write_reports(tmp_path)


@pytest.mark.parametrize(
    'page', sorted(RESULTS.glob('steady_*.md')), ids=lambda path: path.stem
)
def test_the_pages_are_of_the_results(page):
    """Else: python tools/dev/steady_benchmark.py --report."""
    folder = page.with_name(page.stem.removeprefix('steady_'))
    assert report_of(folder) == page.read_text()
