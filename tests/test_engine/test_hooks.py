from types import SimpleNamespace

import pytest
import torch
from mmseg.structures import SegDataSample

from mmseg_video.engine import FiniteLossHook, SequenceStateHook
from mmseg_video.engine.hooks import report_checkpoint
from tests.models import FRAMEWISE, RECURRENT, build


class Streamer(torch.nn.Module):
    """Counts resets."""

    backbone = None

    def __init__(self, streaming=True):
        super().__init__()
        self.test_cfg = dict(mode='whole', streaming=streaming)
        self.resets = 0

    def reset_states(self):
        self.resets += 1


def runner(model, world_size=1, sampler=None, mode='stream'):
    dataset = SimpleNamespace(mode=mode)
    loader = SimpleNamespace(sampler=sampler or object(), dataset=dataset)
    return SimpleNamespace(
        model=model,
        world_size=world_size,
        val_dataloader=loader,
        test_dataloader=loader,
    )


def batch(*frames):
    return dict(
        data_samples=[
            SegDataSample(metainfo=dict(sequence=s, frame_id=i))
            for s, i in frames
        ]
    )


def resets(model, frames):
    """Before which frames the states are reset."""
    hook, run, at = SequenceStateHook(), runner(model), []
    hook.before_test_epoch(run)
    for i, frame in enumerate(frames):
        before = model.resets
        hook.before_test_iter(run, i, batch(frame))
        if model.resets > before:
            at.append(i)
    return at


def test_resets_where_a_sequence_begins():
    frames = [('a', 3), ('a', 4), ('a', 9), ('b', 10), ('b', 11), ('b', 0)]
    assert resets(Streamer(), frames) == [0, 3, 5]


def test_resets_between_epochs():
    model = Streamer()
    hook, run = SequenceStateHook(), runner(model)
    hook.before_val_epoch(run)
    hook.before_val_iter(run, 0, batch(('a', 5)))
    before = model.resets
    hook.after_val_epoch(run)
    assert model.resets == before + 1
    # The next epoch's first frame follows the last one's by its number.
    hook.before_val_epoch(run)
    before = model.resets
    hook.before_val_iter(run, 0, batch(('a', 6)))
    assert model.resets == before + 1


def test_clips_are_left_alone():
    model = Streamer(streaming=False)
    hook = SequenceStateHook()
    before = model.resets
    hook.before_test_iter(runner(model), 0, batch(('a', 0), ('b', 0)))
    assert model.resets == before


def test_framewise_models_have_no_states_to_reset():
    model = build(FRAMEWISE, test_cfg=dict(mode='whole', streaming=True))
    hook, run = SequenceStateHook(), runner(model, world_size=2)
    hook.before_test_epoch(run)
    hook.before_test_iter(run, 0, batch(('a', 0)))
    hook.after_test_epoch(run)


def test_every_clip_is_a_sequence_of_its_own():
    model = Streamer()
    hook, run = SequenceStateHook(), runner(model, 2, mode='clip')
    hook.before_val_epoch(run)
    for i in range(3):
        before = model.resets
        hook.before_val_iter(run, i, batch(('a', 10 + i)))
        assert model.resets == before + 1


def test_samples_must_say_where_they_come_from():
    hook, run = SequenceStateHook(), runner(Streamer())
    data = dict(data_samples=[SegDataSample(metainfo=dict(img_path='x'))])
    with pytest.raises(ValueError, match="'sequence' and 'frame_id'"):
        hook.before_test_iter(run, 0, data)


def test_two_streams_in_a_batch_are_refused():
    hook, run = SequenceStateHook(), runner(Streamer())
    with pytest.raises(ValueError, match='batch_size=1'):
        hook.before_test_iter(run, 0, batch(('a', 0), ('b', 0)))


def test_a_stream_is_not_dealt_to_processes():
    hook = SequenceStateHook()
    with pytest.raises(RuntimeError, match='every n-th frame'):
        hook.before_test_epoch(runner(Streamer(), world_size=2))
    whole = SimpleNamespace(keeps_sequences_whole=True)
    hook.before_test_epoch(runner(Streamer(), 2, whole))
    hook.before_test_epoch(runner(Streamer(streaming=False), 2))


def test_report_of_a_warm_start_names_what_is_new():
    framewise, model = build(FRAMEWISE), build(RECURRENT)
    text = report_checkpoint(model, framewise.state_dict(), 'x.pth')
    total = len(model.state_dict())
    new = sum('rnn' in key for key in model.state_dict())
    assert f'{total - new} of {total} tensors' in text
    assert f'not in the checkpoint: neck ({new})' in text
    with pytest.raises(RuntimeError, match='random initialisation'):
        report_checkpoint(
            model, framewise.state_dict(), 'x.pth', need_all=True
        )


def test_report_of_other_classes_names_the_shapes():
    other = dict(FRAMEWISE['decode_head'], num_classes=7)
    weights = build(FRAMEWISE, decode_head=other).state_dict()
    text = report_checkpoint(build(FRAMEWISE), weights, 'x.pth')
    assert 'decode_head.conv_seg.weight (7, 8, 1, 1) for (5, 8, 1, 1)' in text


def test_another_architecture_is_an_error():
    weights = {'encoder.weight': torch.zeros(3)}
    with pytest.raises(RuntimeError, match=r"'x\.pth'.*Nothing matches"):
        report_checkpoint(build(FRAMEWISE), weights, 'x.pth')


def test_a_loss_that_is_not_finite_stops_the_training():
    hook = FiniteLossHook(interval=1)
    data = dict(data_samples=[SegDataSample(metainfo=dict(img_path='a.png'))])
    run = SimpleNamespace(iter=41)
    hook.after_train_iter(run, 0, data, dict(loss=torch.tensor(1.0)))
    for bad in (float('nan'), float('inf')):
        with pytest.raises(RuntimeError, match=r'iteration 42 .*a\.png'):
            hook.after_train_iter(run, 0, data, dict(loss=torch.tensor(bad)))
