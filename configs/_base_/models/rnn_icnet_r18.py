# LSTM-ICNet (Pfeuffer et al., IV 2019): in place of a map comes the hidden map
# of a ConvLSTM of its width, at the end of ICNet's branches (levels 0, 1, 2:
# full, half, quarter resolution) or behind the second fusion. A config takes
# neck=[branches, ICNeck, fusion], or a part of it.
_base_ = './icnet_r18.py'
branches = dict(
    type='ConvRNNNeck',
    in_channels=[64, 256, 256],
    cell=dict(type='ConvLSTMCell', conv='standard'),
    connection='standard',
    hidden_ratio=1.0,
)
fusion = dict(branches, in_channels=[128, 128, 128], levels=[2])
model = dict(
    type='RecurrentUNet',
    data_preprocessor=dict(type='ClipDataPreProcessor'),
)
