"""tools/test.py, on a model that conftest.py trained for a moment."""

import json
import shutil

import cv2
import numpy as np
import pytest

from tests.commands import TOOLS


@pytest.fixture
def evaluate(run_tool):
    """Tests a model of a run; what test.py reports."""

    def test(run, *arguments, checkpoint='iter_2.pth', name='rnn_unet'):
        code, output = run_tool(
            *(TOOLS / 'test.py', run / f'{name}_street.py'),
            *(run / checkpoint, '--work-dir', run / 'test', *arguments),
        )
        assert code == 0, output[-2000:]
        path = output.strip().splitlines()[-1].split('written to ')[1]
        return json.loads(open(path).read())

    return test


def test_stream_equals_the_clip_from_the_sequences_first_frame(
    evaluate, awake
):
    run, checkpoint = awake.parent, awake.name
    clip = evaluate(run, '--num-frames', 12, checkpoint=checkpoint)
    stream = evaluate(run, '--stream', checkpoint=checkpoint)
    assert (clip['stream'], clip['num_frames']) == (False, 12)
    assert (stream['stream'], stream['num_frames']) == (True, None)
    assert clip['metrics']['aAcc'] == stream['metrics']['aAcc']
    # Other protocols do not overwrite it.
    assert (run / 'test/test_t12.json').exists()


def test_framewise_models_stream_too(evaluate, framewise):
    stream = evaluate(framewise, '--stream', name='unet')
    clip = evaluate(framewise, name='unet')
    assert stream['metrics'] == clip['metrics']


def test_frame_interval_and_tta_are_recorded(evaluate, recurrent):
    report = evaluate(
        recurrent, '--frame-interval', 2, '--tta', '--num-frames', 3
    )
    assert (report['interval'], report['tta']) == (2, True)
    assert 0 <= report['metrics']['aAcc'] <= 100


def test_a_trainings_config_stays_in_its_work_dir(
    run_tool, framewise, tmp_path
):
    """A test in it keeps its own, with its options, beside its log."""
    run = shutil.copytree(framewise, tmp_path / 'run')
    before = (run / 'unet_street.py').read_text()
    code, output = run_tool(
        *(TOOLS / 'test.py', run / 'unet_street.py'),
        *(run / 'iter_2.pth', '--work-dir', run),
        *('--cfg-options', 'test_dataloader.batch_size=2'),
    )
    assert code == 0, output[-2000:]
    assert (run / 'unet_street.py').read_text() == before
    texts = [path.read_text() for path in run.glob('*/unet_street.py')]
    assert len(texts) == 1
    assert texts[0] != before


def test_degraded_frames_are_the_same_in_every_run(evaluate, recurrent):
    clean = evaluate(recurrent)
    first = evaluate(recurrent, '--degrade', 1)
    assert first['degrade'] == 1
    assert first['metrics']['aAcc'] != clean['metrics']['aAcc']
    assert evaluate(recurrent, '--degrade', 1)['metrics'] == first['metrics']


def test_clips_of_one_key_frame_each_give_no_figure_over_time(
    evaluate, recurrent
):
    got = evaluate(recurrent, '--num-frames', 5, '--temporal')['metrics']
    assert got['sequences/mIoU'] == pytest.approx(got['mIoU'], abs=0.01)
    assert not {'TC_ETC', 'flicker', 'VC8'} & set(got)


def test_labels_that_are_not_there_give_no_figure(
    evaluate, run_tool, recurrent, root, tmp_path
):
    scenes = tmp_path / 'scenes'
    shutil.copytree(root, scenes)
    for path in scenes.glob('gtFine*/test/*/*.png'):
        ignored = np.full_like(cv2.imread(str(path), 0), 255)
        cv2.imwrite(str(path), ignored)
    arguments = '--stream', '--data-root', scenes
    figures = evaluate(recurrent, *arguments, '--temporal')['metrics']
    assert set(figures) == {
        *('TC_ETC', 'TC_VSPW', 'flicker', 'flicker_compensated')
    }
    code, output = run_tool(
        TOOLS / 'test.py',
        *(recurrent / 'rnn_unet_street.py', recurrent / 'iter_2.pth'),
        *('--work-dir', tmp_path, *arguments),
    )
    assert code == 1
    last = output.strip().splitlines()[-1]
    assert last.startswith('error: no frame of the test set has a label')
    assert 'mIoU' in last


def test_writes_label_maps_and_drawn_predictions(
    evaluate, recurrent, tmp_path
):
    out, shown = tmp_path / 'out', tmp_path / 'shown'
    evaluate(recurrent, '--amp', '--out', out, '--show-dir', shown)
    maps = sorted(out.rglob('*.png'))
    assert len(maps) == 2
    label = cv2.imread(str(maps[0]), cv2.IMREAD_UNCHANGED)
    assert label.shape == (64, 128)
    assert label.max() < 19
    assert len(list(shown.rglob('*.png'))) == 2


def test_a_split_without_labels_in_the_words_of_the_server(
    evaluate, recurrent, root, tmp_path
):
    data = tmp_path / 'data'
    shutil.copytree(root, data, ignore=lambda *_: ['gtFine'])
    arguments = ['--data-root', data, '--out', tmp_path / 'out']
    report = evaluate(recurrent, '--format-only', *arguments)
    assert report['metrics'] == {}
    names = sorted(p.name for p in (tmp_path / 'out').iterdir())
    keys = sorted(p.name for p in data.glob('leftImg8bit/test/*/*.png'))
    assert names == keys
    evaluate(recurrent, '--out', tmp_path / 'train_ids')
    to_label_id = np.full(256, 255, np.uint8)
    to_label_id[:19] = [
        *(7, 8, 11, 12, 13, 17, 19, 20, 21, 22),
        *(23, 24, 25, 26, 27, 28, 31, 32, 33),
    ]
    for name in names:
        train_ids = cv2.imread(str(tmp_path / 'train_ids' / name), 0)
        label_ids = cv2.imread(str(tmp_path / 'out' / name), 0)
        np.testing.assert_array_equal(label_ids, to_label_id[train_ids])


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        (['--num-frames', 13], '_000007_leftImg8bit.png'),
        (['--show'], 'there is no display to show frames on'),
        (['--format-only'], 'give --out DIR'),
        (
            [
                *('--stream', '--cfg-options', 'model.test_cfg.mode=slide'),
                'model.test_cfg.crop_size=(32,32)',
                'model.test_cfg.stride=(16,16)',
            ],
            "streaming=True needs mode='whole'",
        ),
    ],
)
def test_bad_input(
    run_tool, monkeypatch, arguments, sentence, recurrent, tmp_path
):
    for name in ('DISPLAY', 'WAYLAND_DISPLAY'):
        monkeypatch.setenv(name, '')
    code, output = run_tool(
        TOOLS / 'test.py',
        *(recurrent / 'rnn_unet_street.py', recurrent / 'iter_2.pth'),
        *('--work-dir', tmp_path, *arguments),
    )
    assert code == 1
    last = output.strip().splitlines()[-1]
    assert last.startswith('error: ')
    assert sentence in last


def test_a_checkpoint_of_another_architecture(
    run_tool, recurrent, framewise, tmp_path
):
    code, output = run_tool(
        *(TOOLS / 'test.py', recurrent / 'rnn_unet_street.py'),
        *(framewise / 'iter_2.pth', '--work-dir', tmp_path),
    )
    assert code == 1
    assert 'not in the checkpoint: neck' in output.strip().splitlines()[-1]


def test_flat_frames_are_held_in_streams_alone(evaluate, run_tool, awake):
    """By one line of any config."""
    hold = 'test_dataloader.dataset.augments.hold.type=HoldLastUsable'
    run, how = awake.parent, ('--stream', '--degrade', 0.5)
    plain = evaluate(run, *how, checkpoint=awake.name)
    held = evaluate(run, *how, '--cfg-options', hold, checkpoint=awake.name)
    assert held['metrics'] != plain['metrics']
    code, output = run_tool(
        *(TOOLS / 'test.py', run / 'rnn_unet_street.py', awake),
        *('--work-dir', run / 'test', '--cfg-options', hold),
    )
    assert code == 1
    assert 'test with --stream' in output.strip().splitlines()[-1]
