"""LSTM-ICNet, and the families of mmseg that the recipe makes recurrent."""

import pytest
import torch
from mmengine import Config
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from mmseg_video.engine.launch import revert_sync_bn
from mmseg_video.models.warm_start import adapt_framewise
from mmseg_video.visualization.data_flow import trace
from tests.models import wake
from tests.test_configs import CONFIGS, ZOO, parameters, shapes

FAMILIES = (
    *('lstm_icnet', 'lstm_segnet', 'deeplabv3plus', 'pspnet', 'upernet'),
    *('segformer', 'convnext', 'unet_s5_d16'),
)
# A finetune config is its framewise baseline's model.
NAMES = [
    path.stem
    for family in FAMILIES
    for path in sorted((CONFIGS / family).glob('*.py'))
    if '_finetune_' not in path.stem
]
RECURRENT = [name for name in NAMES if name.startswith('rnn_')]
SIZE = (32, 64)


def build(name, seed=0):
    cfg = Config.fromfile(ZOO[name].config)
    revert_sync_bn(cfg.model)
    if cfg.model.backbone.type == 'mmpretrain.ConvNeXt':
        # As wide, but not as deep; a dropped path would get no gradient.
        arch = dict(depths=[1, 1, 1, 1], channels=[96, 192, 384, 768])
        cfg.model.backbone.update(arch=arch, drop_path_rate=0)
        cfg.model.decode_head.channels = 64
    torch.manual_seed(seed)
    return MODELS.build(cfg.model).eval()


def logits(model, inputs):
    return torch.stack([s.seg_logits.data for s in model.predict(inputs)])


@pytest.fixture(params=NAMES, scope='module')
def model(request):
    """A model whose past matters; all tests of it run one after the other."""
    init_default_scope('mmseg')
    return wake(build(request.param))


def test_the_lists_are_not_empty():
    assert len(NAMES) >= 25
    assert len(RECURRENT) >= 18


@torch.no_grad()
def test_streaming_equals_the_clip(model):
    if not hasattr(model, 'step'):
        return  # framewise
    model.eval()
    clips, states = torch.randn(1, 3, 3, *SIZE), None
    want = logits(model, clips)
    for t in range(3):
        got, states = model.step(clips[:, t], states)
    torch.testing.assert_close(got, want, rtol=1e-3, atol=1e-4)
    assert not torch.allclose(want, logits(model, clips[:, -1:]))


def test_a_step_gives_every_parameter_a_gradient(model):
    model.train()
    recurrent = hasattr(model, 'step')
    inputs = torch.randn(2, 2, 3, *SIZE, requires_grad=True)
    samples = [
        SegDataSample(
            gt_sem_seg=PixelData(data=label), metainfo=dict(img_shape=SIZE)
        )
        for label in torch.randint(19, (2, 1, *SIZE))
    ]
    losses = model.loss(inputs if recurrent else inputs[:, -1], samples)
    loss = sum(v for k, v in losses.items() if 'loss' in k)
    loss.backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None, key
        assert parameter.grad.abs().sum() > 0, key
    of_frames = inputs.grad.flatten(2).abs().sum(2)
    assert (of_frames > 0).tolist() == [[recurrent, True]] * 2
    torch.optim.SGD(model.parameters(), lr=0.01).step()
    assert all(p.isfinite().all() for p in model.parameters())


# In place of its features, LSTM-ICNet's decoder reads the hidden maps.
RESIDUAL = [
    name
    for name in RECURRENT
    if ZOO[name].collection not in ('LSTM-ICNet', 'LSTM U-Net')
] + ['rnn_icnet_v5_residual_cityscapes']


@pytest.mark.parametrize('name', RESIDUAL)
@torch.no_grad()
def test_warm_start_equals_the_framewise_baseline_exactly(name):
    framewise, model = build(ZOO[name].baseline, seed=3), build(name, seed=4)
    weights = adapt_framewise(model, framewise.state_dict())
    missing, unexpected = model.load_state_dict(weights, strict=False)
    assert not unexpected
    assert all('rnn' in key for key in missing)
    clips = torch.randn(1, 3, 3, *SIZE)
    want = logits(framewise, clips[:, -1])
    assert torch.equal(logits(model, clips[:, -1]), want)
    torch.testing.assert_close(
        logits(model, clips), want, rtol=1e-4, atol=1e-4
    )


# What each ConvLSTM reads -> what reads it.
FULL = ('conv_sub1', 'cff_12')
HALF = ('conv_sub2', 'cff_24')
QUARTER = ('conv_sub4', 'cff_24')
FUSED = ('cff_12', 'conv_seg')
POSITIONS = {
    'v1': {FULL},
    'v2': {FUSED},
    'v3': {QUARTER},
    'v4': {HALF, QUARTER},
    'v5': {FULL, HALF, QUARTER},
    'v6': {FULL, HALF, QUARTER, FUSED},
}


@pytest.mark.parametrize('version', POSITIONS)
def test_icnet_recurs_where_the_paper_says(version):
    boxes = trace(build(f'rnn_icnet_{version}_cityscapes'), (64, 128))

    def last(box):
        return box.names[-1].rpartition('.')[2]

    found = {
        (last(boxes[source]), last(reader))
        for i, box in enumerate(boxes)
        if box.cell == 'ConvLSTMCell'
        for source in box.sources
        for reader in boxes
        if i in reader.sources
    }
    assert found == POSITIONS[version]


@pytest.mark.parametrize(
    ('place', 'reads', 'read_by'),
    [
        ('bottleneck', 'features.17', 'joins.3'),
        ('classifier', 'joins.0', 'conv_seg'),
    ],
)
def test_the_unet_recurs_where_its_name_says(place, reads, read_by):
    boxes = trace(build(f'rnn_unet_vgg_lstm_{place}_cityscapes'), SIZE)
    ((i, box),) = [(i, box) for i, box in enumerate(boxes) if box.cell]
    assert [boxes[s].names[-1] for s in box.sources] == [
        f'backbone.{reads}'
        if place == 'bottleneck'
        else f'decode_head.{reads}'
    ]
    (reader,) = [b for b in boxes if i in b.sources]
    assert reader.names[0] == f'decode_head.{read_by}'


@pytest.mark.parametrize('conv', ['spatial', 'depthwise'])
@pytest.mark.parametrize('version', ['v2', 'v5', 'v6'])
def test_separable_icnets_differ_in_their_cells_alone(version, conv):
    name = f'rnn_icnet_{version}_{conv}_cityscapes'
    standard = name.replace(f'_{conv}', '')
    cells, others = set(), {}
    for key, shape in shapes(name).items():
        head, cell, _ = key.partition('.cell.')
        cells |= {head} if cell else set()
        others |= {} if cell else {key: shape}
    rest = {k: v for k, v in shapes(standard).items() if '.cell.' not in k}
    assert others == rest
    assert cells == {
        k.partition('.cell.')[0] for k in shapes(standard) if '.cell.' in k
    }
    assert parameters(name) < parameters(standard)


def test_icnet_trains_with_the_settings_of_the_paper():
    for name in ('rnn_icnet_v5_cityscapes', 'icnet_finetune_cityscapes'):
        cfg = Config.fromfile(ZOO[name].config)
        optimizer = cfg.optim_wrapper.optimizer
        assert (optimizer.type, optimizer.lr) == ('Adam', 5e-5)
        assert cfg.optim_wrapper.clip_grad.max_norm == 10
        weights = [
            head.loss_decode.loss_weight for head in cfg.model.auxiliary_head
        ]
        assert weights == [0.16, 0.4]
    cfg = Config.fromfile(ZOO['rnn_icnet_v5_cityscapes'].config)
    assert cfg.train_dataloader.dataset.num_frames == 4


def test_the_unet_of_mmseg_has_the_parameters_of_its_model_zoo():
    assert round(parameters('unet_s5_d16_cityscapes') / 1e6, 2) == 29.06
