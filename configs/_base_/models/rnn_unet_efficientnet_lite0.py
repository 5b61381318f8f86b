_base_ = './unet_efficientnet_lite0.py'
model = dict(
    type='RecurrentUNet',
    data_preprocessor=dict(type='ClipDataPreProcessor'),
    neck=dict(
        type='ConvRNNNeck',
        in_channels=[16, 24, 40, 112, 320],
        levels=[1, 2, 3, 4],
        cell=dict(type='ConvGRUCell'),
        connection='residual',
        hidden_ratio=0.25,
    ),
)
