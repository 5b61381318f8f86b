# FCN-32s on VGG-16.
_base_ = './unet_vgg16.py'
model = dict(
    decode_head=dict(
        _delete_=True,
        type='FCNHead',
        in_channels=512,
        in_index=4,
        channels=512,
        num_convs=2,
        concat_input=False,
        num_classes=19,
        norm_cfg=dict(type='SyncBN'),
        loss_decode=dict(type='CrossEntropyLoss'),
    ),
)
