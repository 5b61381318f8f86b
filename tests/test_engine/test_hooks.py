from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import CheckpointHook
from mmengine.logging import MessageHub
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from mmseg_video.engine import (
    CheckpointReportHook,
    FiniteLogitsHook,
    FiniteLossHook,
    SequenceStateHook,
)
from mmseg_video.engine.hooks import report_checkpoint
from mmseg_video.engine.hooks.checkpoint_report_hook import (
    check_rnns_used,
    new_modules,
)
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
        report_checkpoint(model, framewise.state_dict(), 'x.pth', ())


def test_report_of_other_classes_names_the_shapes():
    other = dict(FRAMEWISE['decode_head'], num_classes=7)
    weights = build(FRAMEWISE, decode_head=other).state_dict()
    text = report_checkpoint(build(FRAMEWISE), weights, 'x.pth')
    recurrent = build(RECURRENT).state_dict()
    assert 'unused: neck' in report_checkpoint(
        build(FRAMEWISE), recurrent, 'x.pth'
    )
    with pytest.raises(RuntimeError, match=r'RNNs .* and the model none'):
        check_rnns_used(build(FRAMEWISE), recurrent, 'x.pth')
    assert 'decode_head.conv_seg.weight (7, 8, 1, 1) for (5, 8, 1, 1)' in text


def test_another_architecture_is_an_error():
    weights = {'encoder.weight': torch.zeros(3)}
    with pytest.raises(RuntimeError, match=r"'x\.pth'.*Nothing matches"):
        report_checkpoint(build(FRAMEWISE), weights, 'x.pth')


class TestFiniteLossHook:
    def run(self, losses, saves_at=-1, weights=(), other=1.0, last=None):
        """Train iterations with these losses, after which a weight has these
        values; returns the number done."""
        model = torch.nn.Linear(1, 1)
        save = CheckpointHook(interval=saves_at, by_epoch=False)
        hub = MessageHub('test_finite_loss')
        hub.update_info('last_ckpt', str(last))
        run = SimpleNamespace(
            iter=0, max_iters=100, hooks=[save], model=model, message_hub=hub
        )
        hook = FiniteLossHook()
        hook.before_train(run)
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
            if i < len(weights):
                torch.nn.init.constant_(model.weight, weights[i])
            hook.after_train_iter(run, i, data, outputs)
        return i + 1

    @pytest.mark.parametrize('bad', ['nan', 'inf', '-inf'])
    def test_names_iteration_images_and_loss(self, bad, tmp_path):
        losses = [0.5] * 12 + [float(bad)] + [float('nan')] * 20
        path = tmp_path / 'iter_9.pth'
        torch.save(dict(state_dict=dict(w=torch.zeros(1))), path)
        with pytest.raises(RuntimeError) as error:
            self.run(losses, last=path)
        text = str(error.value)
        assert 'iteration 13 is not finite: aux.loss_ce is' in text
        assert "on ['13.png']" in text
        assert f"last good checkpoint is '{path}'" in text
        # Accuracies are nan where nothing is labelled.
        assert 'acc_seg' not in text

    @pytest.mark.parametrize('value', [None, float('nan')])
    def test_only_a_good_checkpoint_is_named(self, value, tmp_path):
        path = tmp_path / 'iter_9.pth'
        path.write_bytes(b'PK')
        if value is not None:
            weights = dict(w=torch.full((1,), value))
            torch.save(dict(state_dict=weights), path)
        with pytest.raises(RuntimeError, match='There is no good checkpoint'):
            self.run([float('nan')], last=path)

    def test_only_the_sum_is_infinite(self):
        # Two finite float32 numbers.
        with pytest.raises(RuntimeError, match=r'the sum of .* is inf'):
            self.run([0.5, 3.4e38], other=3.4e38)

    @pytest.mark.parametrize('bad', [float('nan'), float('inf')])
    def test_weights_at_their_own_iteration(self, bad):
        """A finite loss may have a gradient that is not."""
        match = r"after iteration 2 1 tensors of weights .*'weight'"
        with pytest.raises(RuntimeError, match=match):
            self.run([0.5] * 4, weights=[0.1, bad, bad])

    def test_buffers_before_a_checkpoint_and_a_validation(self):
        model = torch.nn.BatchNorm1d(1)
        save = CheckpointHook(interval=2, by_epoch=False)
        run = SimpleNamespace(
            iter=0,
            max_iters=100,
            hooks=[save],
            model=model,
            message_hub=MessageHub('test_finite_loss'),
        )
        hook = FiniteLossHook()
        hook.before_train(run)
        hook.before_val_epoch(run)
        model.running_var.fill_(float('nan'))
        hook.before_val_epoch(run)  # not of a training
        outputs = dict(loss=torch.tensor(0.5))
        hook.after_train_iter(run, 0, {}, outputs)
        with pytest.raises(RuntimeError, match=r"tensors .*'running_var'"):
            hook.before_val_epoch(run)
        run.iter = 1
        with pytest.raises(RuntimeError, match=r"tensors .*'running_var'"):
            hook.after_train_iter(run, 1, {}, outputs)

    def test_another_process(self, monkeypatch):
        calls = []

        def all_reduce(broken, op):
            assert op == 'max'
            calls.append(1)
            broken[0] = len(calls) == 2

        module = 'mmseg_video.engine.hooks.finite_loss_hook.all_reduce'
        monkeypatch.setattr(module, all_reduce)
        match = 'iteration 2 .*finite here, not in another process'
        with pytest.raises(RuntimeError, match=match):
            self.run([0.5] * 3)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float16])
def test_logits_that_are_not_finite_end_a_test(dtype):
    logits = torch.full((5, 16, 16), 6e4, dtype=dtype)
    meta = dict(img_path='a.png')
    sample = SegDataSample(
        seg_logits=PixelData(data=logits.clone()), metainfo=meta
    )
    hook = FiniteLogitsHook()
    hook.after_test_iter(None, 0, outputs=[sample])
    hook.after_val_iter(None, 0, outputs=[SegDataSample()])
    for bad in ('nan', 'inf'):
        sample.seg_logits.data[3, 2, 1] = float(bad)
        with pytest.raises(RuntimeError, match=r"'a\.png' are not finite"):
            hook.after_test_iter(None, 0, outputs=[sample])


class TestPartialWeights:
    def test_counters_alone_match_nothing(self):
        model = build(FRAMEWISE)
        weights = {
            key: value
            for key, value in model.state_dict().items()
            if key.endswith(('num_batches_tracked', 'running_mean'))
        }
        with pytest.raises(RuntimeError, match='Nothing matches'):
            report_checkpoint(model, weights, 'x.pth')

    def test_what_may_be_lacking(self):
        model = build(RECURRENT)
        weights = build(FRAMEWISE).state_dict()
        assert report_checkpoint(model, weights, 'x', new_modules(model))
        with pytest.raises(RuntimeError, match=r'initialisation \(neck \('):
            report_checkpoint(model, weights, 'x', ())
        del weights['decode_head.conv_seg.weight']
        match = r'initialisation \(decode_head \(1\)\).*--allow-partial'
        with pytest.raises(RuntimeError, match=match):
            report_checkpoint(model, weights, 'x', new_modules(model))
        report_checkpoint(model, weights, 'x')

    def test_counters_may_be_lacking(self):
        model = build(FRAMEWISE)
        weights = {
            key: value
            for key, value in model.state_dict().items()
            if not key.endswith('num_batches_tracked')
        }
        report_checkpoint(model, weights, 'x', ())

    def test_a_share(self):
        model = torch.nn.Sequential(
            torch.nn.Linear(3, 3, False), torch.nn.Linear(3, 1, False)
        )
        weights = {'1.weight': torch.zeros(1, 3)}
        report_checkpoint(model, weights, 'x', min_share=0.25)
        with pytest.raises(RuntimeError, match='25% of the parameters'):
            report_checkpoint(model, weights, 'x', min_share=0.26)

    def test_weights_that_are_not_finite(self):
        model = torch.nn.Linear(1, 1)
        weights = model.state_dict()
        weights['bias'] = torch.tensor([float('nan')])
        with pytest.raises(ValueError, match=r"not finite, such as 'bias'"):
            report_checkpoint(model, weights, 'x')

    def test_what_each_training_may_lack(self):
        run = SimpleNamespace(model=build(RECURRENT), _resume=False)
        hook = CheckpointReportHook(new=['decode_head.conv_seg'])
        may_lack = hook._may_lack(run)
        assert 'decode_head.conv_seg' in may_lack
        assert 'neck.' in may_lack
        run._resume = True
        assert hook._may_lack(run) == ()
        hook = CheckpointReportHook(allow_partial=True)
        assert hook._may_lack(run) is None
