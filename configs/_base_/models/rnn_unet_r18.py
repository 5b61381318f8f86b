_base_ = './unet_r18.py'
model = dict(
    type='RecurrentUNet',
    data_preprocessor=dict(type='ClipDataPreProcessor'),
    neck=dict(
        type='ConvRNNNeck',
        in_channels=[64, 128, 256, 512],
        cell=dict(type='ConvGRUCell'),
        connection='residual',
        hidden_ratio=0.25,
    ),
)
