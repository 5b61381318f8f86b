_base_ = './rnn_unet_r18.py'
model = dict(
    backbone=dict(base_channels=32),
    neck=dict(in_channels=[32, 64, 128, 256]),
    decode_head=dict(in_channels=[32, 64, 128, 256], channels=32),
)
