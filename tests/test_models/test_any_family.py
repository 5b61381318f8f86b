"""What backbones and heads of mmseg give beside a list of maps and logits."""

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.models.backbones import ResNet
from mmseg.registry import MODELS
from torch import nn

from mmseg_video.apis import VideoSegInferencer
from mmseg_video.models import MMSegNet, RecurrentNet, SteadySegmentor
from mmseg_video.models.warm_start import adapt_framewise
from tests.models import (
    CHANNELS,
    FRAMEWISE,
    NORM,
    NUM_CLASSES,
    build,
    samples,
    wake,
)

SIZE = (64, 64)
CLIPS = dict(type='ClipDataPreProcessor')
NECK = dict(type='ConvRNNNeck', hidden_ratio=0.5)
FCN = dict(
    type='FCNHead',
    in_channels=CHANNELS[-1],
    in_index=3,
    channels=8,
    num_convs=1,
    concat_input=False,
    num_classes=NUM_CLASSES,
    norm_cfg=NORM,
)
RESNET = FRAMEWISE['backbone']
PIDNET = dict(
    backbone=dict(
        type='PIDNet',
        channels=4,
        ppm_channels=8,
        num_stem_blocks=1,
        num_branch_blocks=1,
    ),
    decode_head=dict(
        type='PIDHead',
        in_channels=16,
        channels=8,
        num_classes=NUM_CLASSES,
        loss_decode=[
            dict(type='CrossEntropyLoss', loss_weight=0.4),
            dict(type='OhemCrossEntropy', thres=0.9, min_kept=100),
            dict(type='BoundaryLoss', loss_weight=20.0),
            dict(type='OhemCrossEntropy', thres=0.9, min_kept=100),
        ],
    ),
    neck=dict(NECK, in_channels=[16]),
)
DDRNET = dict(
    backbone=dict(type='DDRNet', channels=4, ppm_channels=8),
    decode_head=dict(
        type='DDRHead',
        in_channels=16,
        channels=8,
        num_classes=NUM_CLASSES,
        loss_decode=[dict(type='CrossEntropyLoss')] * 2,
    ),
    neck=dict(NECK, in_channels=[16]),
)
OCRNET = dict(
    num_stages=2,
    backbone=RESNET,
    decode_head=[
        FCN,
        dict(
            FCN,
            type='OCRHead',
            ocr_channels=8,
            num_convs=None,
            concat_input=None,
        ),
    ],
    neck=dict(NECK, in_channels=CHANNELS, levels=[3]),
)
for option in ('num_convs', 'concat_input'):
    OCRNET['decode_head'][1].pop(option)
DANET = dict(
    backbone=RESNET,
    decode_head=dict(
        OCRNET['decode_head'][1],
        type='DAHead',
        pam_channels=4,
    ),
    neck=dict(NECK, in_channels=CHANNELS, levels=[3]),
)
DANET['decode_head'].pop('ocr_channels')
ENCNET = dict(
    backbone=RESNET,
    decode_head=dict(
        type='EncHead',
        in_channels=CHANNELS,
        in_index=(0, 1, 2, 3),
        channels=8,
        num_codes=4,
        use_se_loss=True,
        add_lateral=False,
        num_classes=NUM_CLASSES,
        norm_cfg=NORM,
        loss_se_decode=dict(type='CrossEntropyLoss', use_sigmoid=True),
    ),
    neck=dict(NECK, in_channels=CHANNELS, levels=[3]),
)
DPT = dict(
    backbone=dict(
        type='VisionTransformer',
        img_size=SIZE,
        patch_size=16,
        embed_dims=16,
        num_layers=4,
        num_heads=2,
        out_indices=(0, 1, 2, 3),
        final_norm=False,
        with_cls_token=True,
        output_cls_token=True,
    ),
    decode_head=dict(
        type='DPTHead',
        in_channels=(16,) * 4,
        in_index=(0, 1, 2, 3),
        input_transform='multiple_select',
        channels=8,
        embed_dims=16,
        post_process_channels=[8] * 4,
        readout_type='project',
        num_classes=NUM_CLASSES,
        norm_cfg=NORM,
    ),
    neck=dict(NECK, in_channels=[16] * 4),
)
UPER = dict(
    type='UPerHead',
    in_channels=[16] * 4,
    in_index=[0, 1, 2, 3],
    pool_scales=(2,),
    channels=8,
    num_classes=NUM_CLASSES,
    norm_cfg=NORM,
)
BEIT = dict(
    backbone=dict(
        type='BEiT',
        img_size=SIZE,
        patch_size=16,
        embed_dims=16,
        num_layers=4,
        num_heads=2,
        mlp_ratio=1,
        out_indices=(0, 1, 2, 3),
        qv_bias=True,
        init_values=0.1,
    ),
    decode_head=UPER,
    neck=[
        dict(NECK, in_channels=[16] * 4),
        dict(
            type='Feature2Pyramid',
            embed_dim=16,
            rescales=[4, 2, 1, 0.5],
            norm_cfg=NORM,
        ),
    ],
)
SEGNEXT = dict(
    data_preprocessor=dict(CLIPS, test_cfg=dict(size_divisor=32)),
    backbone=dict(
        type='MSCAN',
        embed_dims=[8, 8, 16, 16],
        mlp_ratios=[2] * 4,
        depths=[1] * 4,
        attention_kernel_sizes=[5, [1, 7], [1, 11], [1, 21]],
        attention_kernel_paddings=[2, [0, 3], [0, 5], [0, 10]],
        norm_cfg=dict(type='BN'),
    ),
    # Not its own head, which draws random numbers at each call.
    decode_head=dict(FCN, in_channels=16),
    neck=dict(NECK, in_channels=[8, 8, 16, 16], levels=[3]),
)
CGNET = dict(
    backbone=dict(type='CGNet', num_channels=(8, 16, 32), num_blocks=(1, 1)),
    decode_head=dict(FCN, in_channels=64, in_index=2),
    neck=dict(NECK, in_channels=[11, 35, 64], levels=[2]),
)
FAMILIES = dict(
    pidnet=PIDNET,
    ddrnet=DDRNET,
    ocrnet=OCRNET,
    danet=DANET,
    encnet=ENCNET,
    dpt=DPT,
    beit=BEIT,
    segnext=SEGNEXT,
    cgnet=CGNET,
)
RNN = dict(conv_seg=dict(cell=dict(type='GatedEMACell')))
RNN['conv_seg']['connection'] = 'standard'
COMMON = dict(
    type='RecurrentUNet',
    data_preprocessor=CLIPS,
    train_cfg=dict(sampler=None),
    test_cfg=dict(mode='whole'),
)


def recurrent(name, **changes):
    return wake(build({**COMMON, **FAMILIES[name]}, **changes))


def plain(name):
    """Its necks but for the recurrent one."""
    necks = FAMILIES[name]['neck']
    return dict(neck=necks[1] if isinstance(necks, list) else None)


def labelled(num):
    batch = samples(num, SIZE)
    for sample in batch:
        edges = torch.randint(2, (1, *SIZE))
        sample.gt_edge_map = PixelData(data=edges)
    return batch


@pytest.mark.parametrize('name', FAMILIES)
@pytest.mark.parametrize('where', ['neck', 'head'])
def test_it_streams_and_trains(name, where):
    model = recurrent(
        name,
        **(dict(head_rnns=RNN, **plain(name)) if where == 'head' else {}),
        filter=dict(type='EMAFilter'),
    )
    torch.manual_seed(0)
    clip, states = torch.randn(1, 3, 3, *SIZE), None
    with torch.no_grad():
        want = model.predict(clip)[0].seg_logits.data
        for t in range(3):
            got, states = model.step(clip[:, t], states)
        torch.testing.assert_close(got[0], want, rtol=1e-3, atol=1e-4)
        assert set(states) == set(model.state_maps)
        alone, _ = model.step(clip[:, -1])
        assert not torch.allclose(alone, got)
    model.train()
    losses = model.loss(torch.randn(2, 3, 3, *SIZE), labelled(2))
    sum(v.sum() for k, v in losses.items() if 'loss' in k).backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None, key


@pytest.mark.parametrize('name', FAMILIES)
@torch.no_grad()
def test_it_starts_as_its_framewise_baseline(name):
    cfg = {**COMMON, **FAMILIES[name], **plain(name)}
    cascade = 'num_stages' in cfg
    cfg['type'] = 'CascadeEncoderDecoder' if cascade else 'EncoderDecoder'
    framewise = build(cfg, data_preprocessor=None)
    model = build({**COMMON, **FAMILIES[name]}, seed=1)
    missing, unexpected = model.load_state_dict(
        adapt_framewise(model, framewise.state_dict()), strict=False
    )
    assert not unexpected
    assert all('.rnns.' in key for key in missing)
    frames = torch.randn(1, 3, *SIZE)
    want = framewise.predict(frames)[0].seg_logits.data
    torch.testing.assert_close(model.step(frames)[0][0], want)
    # And as a net to steady it says the same, before the resize.
    net = MMSegNet(framewise, ['x'] * NUM_CLASSES)
    got, _ = SteadySegmentor(net).eval().step(frames)
    torch.testing.assert_close(got[0], want)
    net = RecurrentNet(model, ['x'] * NUM_CLASSES)
    scores, _ = net.step(frames, {}, None)
    assert scores.shape[2] < SIZE[0]


@torch.no_grad()
def test_losses_of_a_cascade_are_those_of_mmseg():
    cfg = {**COMMON, **OCRNET, 'neck': None, 'train_cfg': {}}
    theirs = build({**cfg, 'type': 'CascadeEncoderDecoder'})
    ours = build(cfg)
    ours.load_state_dict(theirs.state_dict())
    frames, batch = torch.randn(2, 3, *SIZE), labelled(2)
    want = theirs.eval().loss(frames, batch)
    ours.decode_head.training = True
    got = ours.loss(frames[:, None], batch)
    for i in range(2):
        torch.testing.assert_close(
            got[f'decode.{i}.loss_ce'], want[f'decode_{i}.loss_ce']
        )


def check_steps(model, size):
    """Frame by frame it says what it says of the clip, which is returned."""
    clip, states = torch.randn(2, 3, 3, *size), None
    want = model.predict(clip)
    for t in range(3):
        got, states = model.step(clip[:, t], states)
    for mine, theirs in zip(got, want, strict=True):
        torch.testing.assert_close(
            mine, theirs.seg_logits.data, rtol=1e-3, atol=1e-4
        )
    return clip


@torch.no_grad()
def test_windows_stream_with_states_of_their_own():
    test_cfg = dict(mode='slide', crop_size=(32, 48), stride=(16, 32))
    model = recurrent('ocrnet', test_cfg=test_cfg)
    clip = check_steps(model, (50, 90))
    # A frame smaller than a window is padded to one.
    small, _ = model.step(clip[:, 0, :, :20, :40])
    assert small.shape == (2, NUM_CLASSES, 20, 40)
    zeros = {k: (torch.zeros(1, 1, 1, 1),) for k in model.state_maps}
    again, _ = model.step(clip[:, 0, :, :20, :40], zeros)
    torch.testing.assert_close(again, small)


@torch.no_grad()
def test_a_preprocessor_that_pads_in_tests():
    """As SegNeXt's: frames go in and labels come out at their own size."""
    padding = dict(CLIPS, test_cfg=dict(size_divisor=32))
    model = recurrent('ocrnet', data_preprocessor=padding)
    inferencer = VideoSegInferencer.from_model(
        model, ['x'] * NUM_CLASSES, [[0] * 3] * NUM_CLASSES, device='cpu'
    )
    frame = torch.randint(256, (50, 70, 3), dtype=torch.uint8).numpy()
    label = inferencer.predict_frame(frame).label
    assert label.shape == (50, 70)
    padded = nn.functional.pad(
        torch.from_numpy(frame).permute(2, 0, 1)[None].float(), (0, 26, 0, 14)
    )
    want = model.step(padded)[0].argmax(1)[0, :50, :70]
    assert (want.numpy() == label).mean() > 0.999


class Placed(ResNet):
    """With an embedding of positions, before its first convolution."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.embedding = nn.Parameter(torch.randn(1, 4, 1, 1))

    def forward(self, x):
        return super().forward(x + self.embedding.mean())


@torch.no_grad()
@pytest.mark.parametrize('mode', ['whole', 'slide'])
def test_a_backbone_whose_parameters_hide_its_colours(mode, monkeypatch):
    monkeypatch.setattr(MODELS, '_module_dict', dict(MODELS.module_dict))
    MODELS.register_module(module=Placed, force=True)
    model = recurrent(
        'ocrnet',
        backbone=dict(RESNET, type='Placed'),
        test_cfg=dict(mode=mode, crop_size=(32, 48), stride=(16, 32)),
    )
    check_steps(model, SIZE)


def test_a_head_that_trains_on_points_is_refused(monkeypatch):
    """PointHead, whose operators are not here."""
    maker = type(recurrent('ocrnet').decode_head[1])
    own = dict(loss=lambda self: None)
    points = type('PointHead', (maker,), own)
    monkeypatch.setattr(MODELS, '_module_dict', dict(MODELS.module_dict))
    MODELS.register_module(module=points, force=True)
    heads = [FCN, dict(OCRNET['decode_head'][1], type='PointHead')]
    with pytest.raises(ValueError, match='PointHead reads points'):
        recurrent('ocrnet', decode_head=heads)
