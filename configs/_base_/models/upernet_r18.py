# UPerNet (Xiao et al., ECCV 2018): reads all levels of R-18, strides 4 to 32.
_base_ = './pspnet_r18.py'
model = dict(
    backbone=dict(
        dilations=(1, 1, 1, 1), strides=(1, 2, 2, 2), contract_dilation=False
    ),
    decode_head=dict(
        type='UPerHead',
        in_channels=[64, 128, 256, 512],
        in_index=[0, 1, 2, 3],
    ),
)
