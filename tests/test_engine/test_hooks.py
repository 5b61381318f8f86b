from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import CheckpointHook
from mmengine.logging import MessageHub
from mmseg.structures import SegDataSample

from mmseg_video.engine import FiniteLossHook, SequenceStateHook
from mmseg_video.engine.hooks import report_checkpoint
from tests.models import FRAMEWISE, RECURRENT, build, wake


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
            SegDataSample(
                metainfo=dict(
                    sequence=s,
                    frame_id=i,
                    img_shape=(32, 32),
                    ori_shape=(32, 32),
                )
            )
            for s, i in frames
        ]
    )


@torch.no_grad()
def test_states_go_on_where_the_sequence_does():
    """A streaming model tells from its samples where a sequence begins."""
    streaming = dict(mode='whole', streaming=True)
    model = wake(build(RECURRENT, test_cfg=streaming))
    hook, run = SequenceStateHook(), runner(model)
    places = [('a', 3), ('a', 4), ('a', 9), ('b', 10), ('b', 11), ('b', 0)]
    images = torch.randint(256, (6, 1, 3, 32, 32), dtype=torch.uint8)
    hook.before_test_epoch(run)
    anew = []
    for i, place in enumerate(places):
        data = dict(inputs=[images[i]], **batch(place))
        hook.before_test_iter(run, i, data)
        got = model.test_step(data)[0].seg_logits.data
        frame = model.data_preprocessor(dict(inputs=[images[i]]))['inputs']
        alone, _ = model.step(frame[:, 0])
        if torch.allclose(got, alone[0]):
            anew.append(i)
    assert anew == [0, 3, 5]
    hook.after_test_epoch(run)
    assert len(model.streams) == 0


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
    assert model.resets == before + 2


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
    recurrent = build(RECURRENT).state_dict()
    assert 'unused: neck' in report_checkpoint(
        build(FRAMEWISE), recurrent, 'x.pth'
    )
    with pytest.raises(RuntimeError, match='RNNs and the model none'):
        report_checkpoint(build(FRAMEWISE), recurrent, 'x.pth', need_all=True)
    assert 'decode_head.conv_seg.weight (7, 8, 1, 1) for (5, 8, 1, 1)' in text


def test_another_architecture_is_an_error():
    weights = {'encoder.weight': torch.zeros(3)}
    with pytest.raises(RuntimeError, match=r"'x\.pth'.*Nothing matches"):
        report_checkpoint(build(FRAMEWISE), weights, 'x.pth')


class TestFiniteLossHook:
    def run(self, losses, interval=10, saves_at=-1, weight=0.0, other=1.0):
        """Train iterations with these losses; returns the number done."""
        model = torch.nn.Linear(1, 1)
        torch.nn.init.constant_(model.weight, weight)
        save = CheckpointHook(interval=saves_at, by_epoch=False)
        hub = MessageHub('test_finite_loss')
        hub.update_info('last_ckpt', 'iter_9.pth')
        run = SimpleNamespace(
            iter=0, max_iters=100, hooks=[save], model=model, message_hub=hub
        )
        hook = FiniteLossHook(interval)
        for i, loss in enumerate(losses):
            run.iter = i
            meta = dict(img_path=f'{i + 1}.png')
            data = dict(data_samples=[SegDataSample(metainfo=meta)])
            outputs = {
                'decode.loss_ce': torch.tensor(other),
                'aux.loss_ce': torch.tensor(loss),
                'decode.acc_seg': torch.tensor(float('nan')),
                'loss': torch.tensor(other) + loss,
            }
            hook.after_train_iter(run, i, data, outputs)
        return i + 1

    @pytest.mark.parametrize('bad', ['nan', 'inf', '-inf'])
    def test_names_iteration_images_and_loss(self, bad):
        losses = [0.5] * 12 + [float(bad)] + [float('nan')] * 20
        # The first that went wrong, not the one where it is looked at.
        with pytest.raises(RuntimeError) as error:
            self.run(losses)
        text = str(error.value)
        assert 'iteration 13 is not finite: aux.loss_ce is' in text
        assert "on ['13.png']" in text
        assert "last good checkpoint is 'iter_9.pth'" in text
        # Accuracies are nan where nothing is labelled.
        assert 'acc_seg' not in text

    def test_looks_every_interval_and_before_a_checkpoint(self):
        losses = [0.5, float('nan'), 0.5, 0.5]
        assert self.run(losses, interval=10) == 4
        for settings in (dict(interval=2), dict(interval=9, saves_at=3)):
            with pytest.raises(RuntimeError, match=r'iteration 2 .*2\.png'):
                self.run(losses, **settings)

    def test_only_the_sum_is_infinite(self):
        # Two finite float32 numbers.
        with pytest.raises(RuntimeError, match=r'the sum of .* is inf'):
            self.run([0.5, 3.4e38], interval=1, other=3.4e38)

    def test_weights_are_looked_at_before_a_checkpoint(self):
        assert self.run([0.5] * 4, weight=float('nan')) == 4
        match = r"after iteration 2 1 of 2 tensors .*'weight'.*iter_9\.pth"
        with pytest.raises(RuntimeError, match=match):
            self.run([0.5] * 4, weight=float('nan'), saves_at=2)

    @pytest.mark.parametrize('interval', [2, 3])
    def test_weights_are_looked_at_before_a_validation(self, interval):
        # Whether or not the losses were looked at just before.
        run = SimpleNamespace(
            iter=1,
            max_iters=100,
            hooks=[],
            model=torch.nn.Linear(1, 1),
            message_hub=MessageHub('test_finite_loss'),
        )
        hook = FiniteLossHook(interval)
        hook.before_val_epoch(run)
        hook.after_train_iter(run, 1, {}, dict(loss=torch.tensor(0.5)))
        torch.nn.init.constant_(run.model.weight, float('nan'))
        with pytest.raises(RuntimeError, match=r"tensors .*'weight'"):
            hook.before_val_epoch(run)

    def test_another_process(self, monkeypatch):
        def all_reduce(broken, op):
            assert op == 'max'
            broken[1] = 1

        module = 'mmseg_video.engine.hooks.finite_loss_hook.all_reduce'
        monkeypatch.setattr(module, all_reduce)
        match = 'iteration 2 .*finite here, not in another process'
        with pytest.raises(RuntimeError, match=match):
            self.run([0.5] * 3, interval=3)
