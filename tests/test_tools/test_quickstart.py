"""The main job, in small: every stage, and again."""

import json
import shutil

import pytest
from PIL import Image

from mmseg_video.experiments import quickstart_report
from tests.commands import ROOT, TOOLS, call, follow_here
from tests.runs import SPLITS

SMALL = [
    *('--snippets', 3, 2, '--cfg-options'),
    'train_cfg.max_iters=2',
    'train_cfg.val_interval=2',
    'default_hooks.checkpoint.interval=1',
    'default_hooks.logger.interval=1',
    'train_dataloader.batch_size=2',
    *(f'{s}_dataloader.num_workers=0' for s in SPLITS),
    *(f'{s}_dataloader.persistent_workers=False' for s in SPLITS),
]


@pytest.fixture
def quickstart(monkeypatch, run_tool):
    """Runs the tool here; returns its exit status and what it said."""
    monkeypatch.setattr('mmseg_video.experiments.launch.follow', follow_here)

    def run(out, *arguments):
        tool = TOOLS / 'quickstart.py'
        return run_tool(tool, '--out', out, *SMALL, *arguments)

    return run


def test_makes_everything_and_goes_on_where_it_stopped(quickstart, tmp_path):
    out = tmp_path / 'quick start'  # a space, as in many a home folder
    code, output = quickstart(out)
    assert code == 0, output[-2000:]
    report = json.loads((out / 'table.json').read_text())
    parts = [2]  # after the published net's
    assert report['iterations'] == dict(framewise=parts, recurrent=parts)
    table = (out / 'table.md').read_text()
    assert table in output
    head, _, _, recurrent, _ = table.splitlines()[:5]
    assert head == (
        '| model | iterations | mIoU, T=5 | mAcc, T=5 | mIoU, T=12 | '
        'mAcc, T=12 | mIoU, streamed | mIoU, clean frames, streamed | '
        'mIoU, degraded frames, streamed | static-label flicker, streamed |'
    )
    ours = report['tests']['recurrent']
    assert f'{ours["t5"]["mIoU"]:.2f}' in recurrent
    assert f'{ours["t12"]["mIoU"]:.2f}' in recurrent
    run = out / 'recurrent/seed0'
    assert len(list(run.glob('test_t12_*/test_t12.json'))) == 1
    gif = Image.open(out / 'side_by_side.gif')
    assert gif.n_frames == 24  # two snippets of twelve frames
    assert gif.width == 4 * 256 + 3 * 4
    assert Image.open(out / 'curves.png').width > 500

    code, output = quickstart(out)
    assert code == 0
    assert 'done before' in output

    # As if it had been stopped in the last test.
    (out / 'quickstart.done').unlink()
    (done,) = run.glob('test_t12_*.done')
    done.unlink()
    stamp = (run / 'train/iter_2.pth').stat().st_mtime_ns
    code, output = quickstart(out)
    assert code == 0, output[-2000:]
    assert '0 trainings and 1 tests to do; 6 of 7 stages are done' in output
    assert (run / 'train/iter_2.pth').stat().st_mtime_ns == stamp
    assert (out / 'table.md').read_text() == table

    code, output = quickstart(out, '--seed', 1)
    assert code == 1
    assert 'holds a quick start with other arguments' in output


@pytest.mark.parametrize(('number', 'marked'), [(1, True), (500, False)])
def test_a_curve_of_one_point_is_seen(number, marked, tmp_path, monkeypatch):
    rows = [dict(step=i, loss=1 / i) for i in range(1, number + 1)]
    log = tmp_path / 'train/1/vis_data/scalars.json'
    log.parent.mkdir(parents=True)
    log.write_text('\n'.join(map(json.dumps, rows)))
    figures = []
    monkeypatch.setattr(
        quickstart_report,
        'save_figure',
        lambda figure, _: figures.append(figure),
    )
    quickstart_report.write_curves(
        tmp_path / 'curves.png',
        {'recurrent': [tmp_path / 'train']},
        {'recurrent': [number]},
    )
    (line,) = figures[0].axes[0].lines
    assert len(line.get_xdata()) == number
    assert (line.get_marker() != 'None') == marked


def test_no_such_data_root(run_tool):
    code, output = run_tool(
        *(TOOLS / 'quickstart.py', '--dataset', 'camvid'),
        *('--data-root', 'no/such'),
    )
    assert code == 1
    assert output.strip().splitlines()[-1] == (
        "error: no data folder 'no/such'"
    )


def test_help_and_usage_errors_need_no_environment(tmp_path):
    clone = tmp_path / 'clone'
    for name in ('tools', 'mmseg_video'):
        shutil.copytree(ROOT / name, clone / name)
    for name in ('setup.cfg', 'pyproject.toml'):
        shutil.copy(ROOT / name, clone)
    script = clone / 'tools/quickstart.sh'
    status, output = call('bash', script, '--help')
    assert status == 0
    assert '--snippets TRAIN TEST' in output
    status, output = call('bash', script, '--dataset', 'camvid')
    assert status == 2
    assert output.startswith('error: --dataset cityscapes|camvid and ')
    assert not (clone / '.venv').exists()
