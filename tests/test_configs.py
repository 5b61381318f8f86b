"""Every config builds, and an ablation is a short diff."""

from pathlib import Path

import pytest
import torch
from mmengine import Config
from mmseg.registry import MODELS, TRANSFORMS, VISUALIZERS

from mmseg_video.engine.launch import plain_batch_norm

CONFIGS = Path(__file__).parents[1] / 'configs'
LEAVES = sorted(CONFIGS.glob('*.py'))
RECURRENT = [p for p in LEAVES if p.name.startswith('rnn_')]


def names(path):
    return path.stem


def twin(path):
    """The framewise config that a recurrent one is compared with."""
    if path.stem.endswith('-pretrained'):
        return path.with_name(path.name.removeprefix('rnn_'))
    data = path.stem.rsplit('_', 1)[1]
    own = [kind for kind in ('_vgg', '_gn') if f'{kind}_' in path.stem]
    return CONFIGS / f'unet{"".join(own)}_{data}.py'


def build(path):
    cfg = Config.fromfile(path)
    plain_batch_norm(cfg.model)
    return MODELS.build(cfg.model)


def test_the_lists_are_not_empty():
    assert len(LEAVES) >= 20
    assert len(RECURRENT) >= 14


@pytest.mark.parametrize('path', LEAVES, ids=names)
def test_a_leaf_is_short(path):
    assert len(path.read_text().splitlines()) <= 10


@pytest.mark.parametrize('path', LEAVES, ids=names)
@torch.no_grad()
def test_builds_and_predicts(path):
    cfg = Config.fromfile(path)
    model = build(path).eval()
    num_frames = cfg.test_dataloader.dataset.get('num_frames', 1)
    clip = torch.randint(256, (num_frames, 3, 64, 96), dtype=torch.uint8)
    data = model.data_preprocessor(dict(inputs=[clip]))
    (sample,) = model.predict(data['inputs'])
    classes = model.decode_head.num_classes
    assert sample.seg_logits.shape == (64, 96)
    assert len(sample.seg_logits.data) == classes
    for split in ('train', 'val', 'test'):
        for transform in cfg[f'{split}_dataloader'].dataset.pipeline:
            TRANSFORMS.build(transform)
    for transform in cfg.tta_pipeline:
        TRANSFORMS.build(transform)


# Dense connections widen what the decoder reads.
SAME_DECODER = [p for p in RECURRENT if '_dense_' not in p.stem]


@pytest.mark.parametrize('path', SAME_DECODER, ids=names)
def test_only_recurrence_is_added_to_the_framewise_twin(path):
    ours, base = build(path), build(twin(path))
    shapes = {k: v.shape for k, v in ours.state_dict().items()}
    for key, value in base.state_dict().items():
        assert shapes.pop(key) == value.shape
    # A discriminator is there in training alone.
    shapes = [k for k in shapes if not k.startswith(ours.training_only)]
    assert shapes
    assert all('rnn' in key for key in shapes)


def test_dense_widens_only_what_reads_it():
    path = CONFIGS / 'rnn_unet_dense_cityscapes.py'
    ours, base = build(path), build(twin(path))
    shapes = {k: v.shape for k, v in ours.state_dict().items()}
    wider = [k for k, v in base.state_dict().items() if shapes[k] != v.shape]
    assert len(wider) == 3  # one convolution for each join
    assert all(k.startswith('decode_head.joins.') for k in wider)


EXTRA = [
    *('cityscapes', 'camvid', 'street'),
    *('norm_eval_cityscapes', 'gn_cityscapes'),
    *('pseudo_cityscapes', 'pseudo_street'),
]


@pytest.mark.parametrize('name', EXTRA)
def test_both_get_the_same_extra_iterations(name):
    ours = Config.fromfile(CONFIGS / f'rnn_unet_{name}.py')
    base = Config.fromfile(CONFIGS / f'unet_finetune_{name}.py')
    assert ours.get('default_hooks') == base.get('default_hooks')
    for key in ('train_cfg', 'optim_wrapper', 'param_scheduler'):
        assert ours[key] == base[key]
    assert ours.train_dataloader.batch_size == base.train_dataloader.batch_size
    ours.train_dataloader.dataset.num_frames = 1
    assert ours.train_dataloader.dataset == base.train_dataloader.dataset


def test_coco_pretrained_models_train_alike():
    ours, base = (
        Config.fromfile(CONFIGS / f'{name}_cityscapes_coco-pretrained.py')
        for name in ('rnn_unet', 'unet')
    )
    for key in (
        *('train_cfg', 'optim_wrapper', 'param_scheduler'),
        *('load_from', 'custom_hooks'),
    ):
        assert ours[key] == base[key]
    ours.train_dataloader.dataset.num_frames = 1
    assert ours.train_dataloader == base.train_dataloader


@pytest.mark.parametrize(
    'name',
    [
        *('augmented_cityscapes', 'augmented_camvid', 'augmented_street'),
        *('clean_camvid', 'camvid'),
    ],
)
def test_both_get_the_same_augmentation(name):
    ours = Config.fromfile(CONFIGS / f'rnn_unet_{name}.py')
    base = Config.fromfile(CONFIGS / f'unet_finetune_{name}.py')
    augments = ours.train_dataloader.dataset.augments
    assert augments == base.train_dataloader.dataset.augments
    assert any(augments.values()) != name.startswith('clean')


@pytest.mark.parametrize(
    'path',
    [
        CONFIGS / 'rnn_unet_cityscapes.py',
        CONFIGS / 'rnn_unet_vgg_cityscapes.py',
    ],
    ids=names,
)
def test_default_recurrence_adds_at_most_a_tenth_of_the_parameters(path):
    def count(path):
        return sum(p.numel() for p in build(path).parameters())

    assert count(path) <= 1.10 * count(twin(path))


def test_wandb_is_one_inherited_file():
    cfg = Config.fromfile(CONFIGS / 'rnn_unet_wandb_cityscapes.py')
    types = [b['type'] for b in cfg.visualizer.vis_backends]
    assert 'WandbVisBackend' in types
    assert VISUALIZERS.get(cfg.visualizer.type) is not None
