# Half the width of R-18: for the quick start on a CPU.
_base_ = './unet_r18.py'
model = dict(
    backbone=dict(base_channels=32),
    decode_head=dict(in_channels=[32, 64, 128, 256], channels=32),
)
