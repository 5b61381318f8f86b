"""tools/test.py, on a model that conftest.py trained for a moment."""

import json
import sys

import cv2
import pytest

from tests.commands import TOOLS, call


def evaluate(run, *arguments, checkpoint='iter_2.pth', name='rnn_unet'):
    """Test a model of ``run``; what test.py reports."""
    code, output = call(
        *(sys.executable, TOOLS / 'test.py', run / f'{name}_street.py'),
        *(run / checkpoint, '--work-dir', run / 'test', *arguments),
    )
    assert code == 0, output[-2000:]
    path = output.strip().splitlines()[-1].split('written to ')[1]
    return json.loads(open(path).read())


def test_stream_equals_the_clip_from_the_sequences_first_frame(awake):
    run, checkpoint = awake.parent, awake.name
    clip = evaluate(run, '--num-frames', 12, checkpoint=checkpoint)
    stream = evaluate(run, '--stream', checkpoint=checkpoint)
    assert (clip['mode'], clip['num_frames']) == ('clip', 12)
    assert (stream['mode'], stream['num_frames']) == ('stream', 1)
    assert clip['metrics']['aAcc'] == stream['metrics']['aAcc']
    # Other protocols do not overwrite it.
    assert (run / 'test/test_t12.json').exists()


def test_framewise_models_stream_too(framewise):
    stream = evaluate(framewise, '--stream', name='unet')
    clip = evaluate(framewise, name='unet')
    assert stream['metrics'] == clip['metrics']


def test_frame_interval_and_tta_are_recorded(recurrent):
    report = evaluate(
        recurrent, '--frame-interval', 2, '--tta', '--num-frames', 3
    )
    assert (report['frame_interval'], report['tta']) == (2, True)
    assert 0 <= report['metrics']['aAcc'] <= 100


def test_degraded_frames_are_the_same_in_every_run(recurrent):
    clean = evaluate(recurrent)
    first = evaluate(recurrent, '--degrade', 1)
    assert first['degrade'] == 1
    assert first['metrics']['aAcc'] != clean['metrics']['aAcc']
    assert evaluate(recurrent, '--degrade', 1)['metrics'] == first['metrics']


def test_writes_label_maps_and_drawn_predictions(recurrent, tmp_path):
    out, shown = tmp_path / 'out', tmp_path / 'shown'
    evaluate(recurrent, '--amp', '--out', out, '--show-dir', shown)
    maps = sorted(out.rglob('*.png'))
    assert len(maps) == 2
    label = cv2.imread(str(maps[0]), cv2.IMREAD_UNCHANGED)
    assert label.shape == (64, 128)
    assert label.max() < 19
    assert len(list(shown.rglob('*.png'))) == 2


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        (['--num-frames', 13], '_000007_leftImg8bit.png'),
        (
            ['--stream', '--cfg-options', 'model.test_cfg.mode=slide'],
            "streaming=True needs mode='whole'",
        ),
    ],
)
def test_bad_input(arguments, sentence, recurrent, tmp_path):
    code, output = call(
        *(sys.executable, TOOLS / 'test.py'),
        *(recurrent / 'rnn_unet_street.py', recurrent / 'iter_2.pth'),
        *('--work-dir', tmp_path, *arguments),
    )
    assert code == 1
    last = output.strip().splitlines()[-1]
    assert last.startswith('error: ')
    assert sentence in last


def test_a_checkpoint_of_another_architecture(recurrent, framewise, tmp_path):
    code, output = call(
        *(sys.executable, TOOLS / 'test.py', recurrent / 'rnn_unet_street.py'),
        *(framewise / 'iter_2.pth', '--work-dir', tmp_path),
    )
    assert code == 1
    assert 'not in the checkpoint: neck' in output.strip().splitlines()[-1]
