_base_ = './rnn_dru_cityscapes.py'
# One level less: the hidden map at stride 8.
model = dict(
    backbone=dict(num_levels=3),
    decode_head=dict(in_channels=[8, 16, 32, 64]),
)
