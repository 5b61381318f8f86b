_base_ = './flow_ema_unet_cityscapes.py'
# Less of the past where the warped frame differs from the present one.
flow = dict(augments=dict(flow=dict(photometric_scale=20.0)))
val_dataloader = dict(dataset=flow)
test_dataloader = dict(dataset=flow)
