# Siam et al. 2017: the FCN's heat map goes through a recurrent unit.
_base_ = './fcn_vgg16.py'
model = dict(
    type='RecurrentUNet',
    data_preprocessor=dict(type='ClipDataPreProcessor'),
    head_rnns=dict(
        conv_seg=dict(
            cell=dict(type='ConvGRUCell'),
            connection='residual',
            hidden_ratio=1.0,
        )
    ),
)
