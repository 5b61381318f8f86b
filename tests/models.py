"""Small models and batches that the tests share."""

import copy

import torch
from mmengine import ConfigDict
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

NUM_CLASSES = 5
CHANNELS = [8, 16, 32, 64]
# Group norm: a sample's result must not depend on its batch in these tests.
NORM = dict(type='GN', num_groups=4)

FRAMEWISE = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(type='KeyFrameDataPreProcessor'),
    backbone=dict(
        type='ResNet', depth=18, base_channels=8, norm_cfg=dict(type='BN')
    ),
    decode_head=dict(
        type='UNetHead',
        in_channels=CHANNELS,
        channels=8,
        num_classes=NUM_CLASSES,
        norm_cfg=NORM,
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
RECURRENT = dict(
    FRAMEWISE,
    type='RecurrentUNet',
    data_preprocessor=dict(type='ClipDataPreProcessor'),
    neck=dict(type='ConvRNNNeck', in_channels=CHANNELS, hidden_ratio=0.5),
)

# One logit for two classes, and a threshold of its sigmoid.
BINARY = dict(
    FRAMEWISE['decode_head'], num_classes=2, out_channels=1, threshold=0.3
)


def build(cfg, seed=0, **changes):
    """A segmentor in eval mode, of the same weights for the same seed."""
    torch.manual_seed(seed)
    cfg = ConfigDict(copy.deepcopy({**cfg, **changes}))
    return MODELS.build(cfg).eval()


def wake(model):
    """Give zero-initialised parameters values, so that the past matters."""
    torch.manual_seed(1)
    for parameter in model.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return model


def split_by_threshold(model, images):
    """Move a binary head's bias to where its threshold divides the pixels of
    images (N, 3, H, W)."""
    with torch.no_grad():
        logits = model.eval()(images)
        bias = model.decode_head.conv_seg.bias
        bias += torch.tensor(0.3).logit() - logits.median()
    return model


def samples(num, size):
    """Key-frame samples with random labels (1, h, w)."""
    labels = torch.randint(NUM_CLASSES, (num, 1, *size))
    return [
        SegDataSample(
            gt_sem_seg=PixelData(data=label),
            metainfo=dict(img_shape=size, ori_shape=size),
        )
        for label in labels
    ]
