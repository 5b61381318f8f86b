# The VGG-like encoder: five levels, strides 2 to 32, with batch norm.
_base_ = './unet_r18.py'
model = dict(
    backbone=dict(
        _delete_=True,
        type='mmpretrain.VGG',
        depth=16,
        norm_cfg=dict(type='SyncBN'),
        out_indices=(0, 1, 2, 3, 4),
    ),
    decode_head=dict(in_channels=[64, 128, 256, 512, 512]),
)
