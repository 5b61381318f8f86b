# The small U-Net of Wang et al. 2019, without recurrence: 8 to 128 channels
# (the authors' feature_scale 4), group norm in the encoder only.
_base_ = './unet_r18.py'
model = dict(
    backbone=dict(
        _delete_=True,
        type='DoubleConvEncoder',
        base_channels=8,
        num_levels=5,
        norm_cfg=dict(type='GN', num_groups=8),
    ),
    decode_head=dict(
        in_channels=[8, 16, 32, 64, 128],
        channels=8,
        dropout_ratio=0,
        norm_cfg=None,
        upsample_cfg=dict(type='deconv', kernel_size=2, stride=2),
    ),
)
