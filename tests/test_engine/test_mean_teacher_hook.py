"""Trainings whose unlabelled frames the model's own average labels."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmseg_video.engine import MeanTeacherHook
from mmseg_video.engine.launch import check_unlabelled
from tests.models import (
    BINARY,
    FRAMEWISE,
    RECURRENT,
    build,
    samples,
    split_by_threshold,
)
from tests.runs import config


class Watch(Hook):
    """The labels that each iteration's loss meets; runs after the teacher."""

    priority = 'LOW'

    def __init__(self):
        self.labels, self.students = [], []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.labels += [
            (s.seg_map_path, s.gt_sem_seg.data.clone())
            for s in data_batch['data_samples']
        ]

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=0):
        self.students.append(copy_of(runner.model))


def copy_of(model):
    return {k: v.clone() for k, v in model.state_dict().items()}


def runner(name, root, work_dir, watch=None, threshold=0.0, **changes):
    cfg = config(f'{name}_mean_teacher', root, work_dir, **changes)
    cfg.default_hooks.teacher.threshold = threshold
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    cfg.visualizer.vis_backends = []
    made = Runner.from_cfg(cfg)
    if watch is not None:
        made.register_hook(watch)
    return made


def teacher_of(made):
    return next(h for h in made.hooks if isinstance(h, MeanTeacherHook))


@pytest.mark.parametrize('name', ['unet_finetune', 'rnn_unet'])
def test_unlabelled_clips_are_labelled_and_others_left_alone(
    name, root, tmp_path
):
    watch = Watch()
    options = {'train_dataloader.batch_size': 4, 'train_cfg.max_iters': 3}
    made = runner(name, root, tmp_path, watch, **options)
    made.train()
    taught = [label for path, label in watch.labels if path is None]
    known = [path for path, _ in watch.labels if path is not None]
    assert taught
    assert known
    # A threshold of 0 leaves out nothing.
    assert all((label < 19).all() for label in taught)
    hub = made.message_hub.get_scalar('train/teacher_sure')
    assert hub.data[0].tolist() == [1.0] * len(hub.data[0])
    assert made.model.data_preprocessor.clip_augments
    assert not (
        teacher_of(made).ema_model.module.data_preprocessor.clip_augments
    )


def test_where_it_is_not_sure_nothing_is_learned(root, tmp_path):
    watch = Watch()
    options = {'train_dataloader.dataset.prob': 1.0}
    made = runner('rnn_unet', root, tmp_path, watch, threshold=1.0, **options)
    made.train()
    assert all((label == 255).all() for _, label in watch.labels)
    assert made.message_hub.get_scalar('train/teacher_sure').current() == 0


def test_the_teacher_is_the_running_average(framewise, root, tmp_path):
    """From the weights that are loaded, and it is what is saved."""
    watch = Watch()
    options = {
        'default_hooks.teacher.momentum': 0.25,
        'load_from': str(framewise / 'iter_2.pth'),
    }
    runner('unet_finetune', root, tmp_path, watch, **options).train()
    start = torch.load(framewise / 'iter_2.pth', weights_only=False)
    one, two = (
        torch.load(tmp_path / f'iter_{i}.pth', weights_only=False)
        for i in (1, 2)
    )
    average = start['state_dict']
    for saved, student in zip((one, two), watch.students, strict=True):
        for key, value in student.items():
            if value.is_floating_point():
                mean = average[key] + 0.25 * (value - average[key])
                torch.testing.assert_close(saved['state_dict'][key], mean)
        average = saved['state_dict']
    moved = one['state_dict']['backbone.conv1.weight']
    assert not torch.equal(moved, two['state_dict']['backbone.conv1.weight'])


def test_student_and_teacher_resume(root, tmp_path):
    watch = Watch()
    runner('rnn_unet', root, tmp_path, watch).train()
    saved = torch.load(tmp_path / 'iter_2.pth', weights_only=False)
    made = runner(
        'rnn_unet',
        root,
        tmp_path,
        resume=True,
        load_from=str(tmp_path / 'iter_2.pth'),
    )
    made.call_hook('before_run')
    made.load_or_resume()
    teacher = copy_of(teacher_of(made).ema_model.module)
    assert len(teacher) == len(saved['state_dict'])
    for key, value in teacher.items():
        assert torch.equal(value, saved['state_dict'][key]), key
    for key, value in made.model.state_dict().items():
        assert torch.equal(value, watch.students[-1][key]), key


def test_a_test_knows_nothing_of_it(root, tmp_path):
    runner('rnn_unet', root, tmp_path).train()
    results = []
    for name in ('rnn_unet_mean_teacher', 'rnn_unet_joint'):
        cfg = config(name, root, tmp_path)
        cfg.test_dataloader = cfg.val_dataloader
        cfg.load_from = str(tmp_path / 'iter_2.pth')
        results.append(Runner.from_cfg(cfg).test())
        results.append(Runner.from_cfg(cfg).val())
    assert results[0] == results[1] == results[2] == results[3]


@pytest.mark.parametrize('cfg', [FRAMEWISE, RECURRENT])
@pytest.mark.parametrize('head', [FRAMEWISE['decode_head'], BINARY])
def test_a_label_is_what_the_model_would_predict(cfg, head):
    hook = MeanTeacherHook(threshold=0)
    student = build(cfg, decode_head=head)
    if head is BINARY:
        split_by_threshold(student, torch.rand(1, 3, 64, 96) * 255)
    hook.before_run(SimpleNamespace(model=student))
    # Of two sizes: the batch is padded.
    clips = [torch.rand(2, 3, 64, w) * 255 for w in (64, 96)]
    ours = [s for w in (64, 96) for s in samples(1, (64, w))]
    before = [s.gt_sem_seg.data.clone() for s in ours]
    labels = hook.label(clips, ours)
    assert labels.shape == (2, 1, 64, 96)
    for sample, label in zip(ours, before, strict=True):
        assert torch.equal(sample.gt_sem_seg.data, label)
    batch = dict(inputs=clips[1:], data_samples=ours[1:])
    inputs = student.data_preprocessor(batch, True)['inputs']
    want = student.predict(inputs, ours[1:])[0].pred_sem_seg.data
    assert torch.equal(labels[1], want.to(labels))
    assert len(want.unique()) > 1


def test_the_teacher_of_a_flow_compensated_model_has_the_flow():
    head = dict(conv_seg=dict(cell=dict(type='GatedEMACell')))
    model = build(RECURRENT, neck=None, head_rnns=head, flow_compensated=True)
    hook = MeanTeacherHook(threshold=0.0)
    hook.ema_model = SimpleNamespace(module=model)
    clips = [torch.randint(256, (3, 3, 32, 32), dtype=torch.uint8)]
    data = samples(1, (32, 32))
    data[0].flow = torch.zeros(3, 3, 16, 16)
    assert hook.label(clips, data).shape == (1, 1, 32, 32)
    del data[0].flow
    with pytest.raises(ValueError, match='needs the optical flow'):
        hook.label(clips, data)


def test_bad_settings_are_refused(root, tmp_path):
    with pytest.raises(ValueError, match='threshold is a probability'):
        MeanTeacherHook(threshold=90)
    with pytest.raises(ValueError, match=r'momentum must lie in \(0, 1\)'):
        MeanTeacherHook(momentum=1)
    made = runner('rnn_unet', root, tmp_path)
    made._train_dataloader.dataset = made._train_dataloader.dataset.dataset
    with pytest.raises(ValueError, match='no unlabelled frames to label'):
        made.train()


def test_unlabelled_frames_need_a_teacher(root, tmp_path):
    cfg = config('rnn_unet_mean_teacher', root, tmp_path)
    check_unlabelled(cfg)
    cfg.default_hooks.teacher = None
    with pytest.raises(ValueError, match='no hook labels them'):
        check_unlabelled(cfg)
    dataset = cfg.train_dataloader.dataset
    dataset.pseudo_path = 'pseudo_labels/train'
    check_unlabelled(cfg)
    dataset.keep_unlabelled = True
    with pytest.raises(ValueError, match='no hook labels them'):
        check_unlabelled(cfg)
    cfg.train_dataloader.dataset = dataset.dataset
    check_unlabelled(cfg)
    cfg.default_hooks = cfg.custom_hooks = None
    check_unlabelled(cfg)
