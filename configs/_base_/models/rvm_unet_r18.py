# Lin et al. 2022 (RVM): a ConvGRU on half of the channels at the bottleneck
# and behind every join of the decoder; the other half bypasses it.
_base_ = './unet_r18.py'
split = dict(
    cell=dict(type='ConvGRUCell'), connection='split', hidden_ratio=0.5
)
model = dict(
    type='RecurrentUNet',
    data_preprocessor=dict(type='ClipDataPreProcessor'),
    neck=dict(
        type='ConvRNNNeck',
        in_channels=[64, 128, 256, 512],
        levels=[3],
        **split,
    ),
    head_rnns={'joins.2': split, 'joins.1': split, 'joins.0': split},
)
