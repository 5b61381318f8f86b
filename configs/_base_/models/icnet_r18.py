# ICNet (Zhao et al., ECCV 2018): branches of the full, half and quarter
# resolution, fused in two cascades; the losses of the paper.
_base_ = './encoder_decoder.py'
norm_cfg = _base_.norm_cfg
fcn = dict(
    type='FCNHead',
    in_channels=128,
    channels=128,
    num_convs=1,
    concat_input=False,
    num_classes=19,
    norm_cfg=norm_cfg,
)
model = dict(
    backbone=dict(
        type='ICNet',
        backbone_cfg=dict(
            type='ResNetV1c',
            depth=18,
            dilations=(1, 1, 2, 4),
            strides=(1, 2, 1, 1),
            norm_cfg=norm_cfg,
            contract_dilation=True,
        ),
        layer_channels=(128, 512),
        norm_cfg=norm_cfg,
    ),
    neck=dict(type='ICNeck', norm_cfg=norm_cfg),
    decode_head=dict(
        fcn,
        in_index=2,
        dropout_ratio=0,
        loss_decode=dict(type='CrossEntropyLoss'),
    ),
    auxiliary_head=[
        dict(
            fcn,
            in_index=0,
            loss_decode=dict(type='CrossEntropyLoss', loss_weight=0.16),
        ),
        dict(
            fcn,
            in_index=1,
            loss_decode=dict(type='CrossEntropyLoss', loss_weight=0.4),
        ),
    ],
)
