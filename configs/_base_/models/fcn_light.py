# The light FCN-32s: ResNet-18 of half the width.
_base_ = './unet_r18_half.py'
model = dict(
    decode_head=dict(
        _delete_=True,
        type='FCNHead',
        in_channels=256,
        in_index=3,
        channels=128,
        num_convs=2,
        concat_input=False,
        num_classes=19,
        norm_cfg=dict(type='SyncBN'),
        loss_decode=dict(type='CrossEntropyLoss'),
    ),
)
