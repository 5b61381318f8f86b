_base_ = './flow_ema_unet_cityscapes.py'
# Less of the past where the frame looks different from it.
model = dict(filter=dict(photometric_scale=20.0))
