"""Rows of a classifier move to other classes."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.runner import BaseLoop, Runner
from mmseg.registry import MODELS

from mmseg_video.datasets import COCOSemanticDataset
from mmseg_video.engine import SharedClassesHook
from tests.models import FRAMEWISE, build
from tests.runs import config

ROWS = 'decode_head.conv_seg.weight'
COCO = COCOSemanticDataset.METAINFO['classes']


class Loop(BaseLoop):
    run = None

    def __init__(self):
        pass


def runner(model, classes, training=True, resume=False):
    dataset = SimpleNamespace(metainfo=dict(classes=classes))
    return SimpleNamespace(
        model=model,
        train_dataloader=SimpleNamespace(dataset=dataset),
        _train_loop=Loop() if training else None,
        _resume=resume,
    )


def segmentor(num_classes, seed):
    head = dict(FRAMEWISE['decode_head'], num_classes=num_classes)
    return build(FRAMEWISE, seed, decode_head=head)


def checkpoint(classes):
    model = segmentor(len(classes), seed=1)
    return dict(
        state_dict=model.state_dict(),
        meta=dict(dataset_meta=dict(classes=classes)),
    )


def test_rows_go_by_name_and_the_rest_begins_anew():
    classes = ('sky', 'car', 'rider', 'person')
    model, old = segmentor(4, seed=0), checkpoint(('person', 'dog', 'car'))
    before = {k: v.clone() for k, v in old['state_dict'].items()}
    hook = SharedClassesHook(aliases=dict(rider='person'))
    hook.after_load_checkpoint(runner(model, classes), old)
    own, new = model.state_dict(), old['state_dict']
    for name in (ROWS, ROWS.replace('weight', 'bias')):
        assert torch.equal(new[name][0], own[name][0])
        assert torch.equal(new[name][1], before[name][2])
        assert torch.equal(new[name][2], before[name][0])
        assert torch.equal(new[name][3], before[name][0])
    for name in set(before) - {ROWS, ROWS.replace('weight', 'bias')}:
        assert torch.equal(new[name], before[name])


def test_as_many_classes_of_other_names_are_not_taken_as_they_are():
    model, old = segmentor(2, seed=0), checkpoint(('car', 'sky'))
    before = old['state_dict'][ROWS].clone()
    SharedClassesHook().after_load_checkpoint(
        runner(model, ('sky', 'road')), old
    )
    new = old['state_dict'][ROWS]
    assert torch.equal(new[0], before[1])
    assert torch.equal(new[1], model.state_dict()[ROWS][1])


@pytest.mark.parametrize(
    'case', ['same classes', 'test', 'resumed', 'no classes told']
)
def test_left_alone(case):
    classes = ('car', 'sky') if case == 'same classes' else ('sky', 'road')
    model, old = segmentor(2, seed=0), checkpoint(('car', 'sky'))
    if case == 'no classes told':
        old['meta'] = {}
    before = old['state_dict'][ROWS].clone()
    run = runner(
        *(model, classes), training=case != 'test', resume=case == 'resumed'
    )
    SharedClassesHook().after_load_checkpoint(run, old)
    assert torch.equal(old['state_dict'][ROWS], before)


def test_an_alias_that_names_no_class():
    hook = SharedClassesHook(aliases=dict(rider='person'))
    with pytest.raises(
        ValueError, match="'rider', which is no class of the d"
    ):
        hook.match(('sky', 'car'), ('person',))
    with pytest.raises(
        ValueError, match=r"'person', which is no .* checkpoint"
    ):
        hook.match(('sky', 'rider'), ('car',))


def test_what_was_carried_over_from_coco_is_said(root, tmp_path):
    cfg = config('unet', 'none', 'none').model
    cfg.decode_head.num_classes = 91
    path = tmp_path / 'coco.pth'
    meta = dict(dataset_meta=dict(classes=COCO))
    weights = MODELS.build(cfg).state_dict()
    torch.save(dict(state_dict=weights, meta=meta), path)
    cfg = config('unet', root, tmp_path / 'run', load_from=str(path))
    aliases = {'traffic sign': 'stop sign'}
    cfg.custom_hooks.append(dict(type='SharedClassesHook', aliases=aliases))
    cfg.train_cfg.update(max_iters=1, val_begin=9)
    cfg.optim_wrapper.optimizer.lr = 0.0
    run = Runner.from_cfg(cfg)
    run.train()
    log = ''.join(p.read_text() for p in tmp_path.glob('run/*/*.log'))
    assert '9 of 19 classes keep their rows of decode_head.conv_seg' in log
    assert 'traffic light, traffic sign (from stop sign), person, car' in log
    assert '; new: road, sidewalk, building' in log
    assert '164 of 164 tensors loaded' in log
    row = run.model.decode_head.conv_seg.weight[11]  # person
    assert torch.equal(row, weights[ROWS][1])
