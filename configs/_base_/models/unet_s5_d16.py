# mmseg's own U-Net: five stages of convolutions from stride 1 to 16 and back.
_base_ = './encoder_decoder.py'
norm_cfg = _base_.norm_cfg
fcn = dict(
    type='FCNHead',
    channels=64,
    num_convs=1,
    concat_input=False,
    num_classes=19,
    norm_cfg=norm_cfg,
)
model = dict(
    backbone=dict(type='UNet', norm_cfg=norm_cfg),
    decode_head=dict(
        fcn,
        in_channels=64,
        in_index=4,
        loss_decode=dict(type='CrossEntropyLoss'),
    ),
    auxiliary_head=dict(
        fcn,
        in_channels=128,
        in_index=3,
        loss_decode=dict(type='CrossEntropyLoss', loss_weight=0.4),
    ),
)
