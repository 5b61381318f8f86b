# The framewise baseline: an R-18 encoder and a mirrored U-Net decoder. The
# recurrent model is a diff against this file.
norm_cfg = dict(type='SyncBN')
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(
        type='KeyFrameDataPreProcessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_val=0,
        seg_pad_val=255,
    ),
    backbone=dict(
        type='ResNet', depth=18, out_indices=(0, 1, 2, 3), norm_cfg=norm_cfg
    ),
    decode_head=dict(
        type='UNetHead',
        in_channels=[64, 128, 256, 512],
        channels=64,
        num_classes=19,
        norm_cfg=norm_cfg,
        loss_decode=dict(type='CrossEntropyLoss'),
    ),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
