# DeepLabV3+ (Chen et al., ECCV 2018): reads level 3 and, for detail, level 0.
_base_ = './pspnet_r18.py'
model = dict(
    decode_head=dict(
        type='DepthwiseSeparableASPPHead',
        dilations=(1, 12, 24, 36),
        c1_in_channels=64,
        c1_channels=12,
    )
)
