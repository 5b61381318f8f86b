_base_ = './ema_unet_cityscapes.py'
# The state is warped by optical flow.
model = dict(flow_compensated=True)
flow = dict(augments=dict(flow=dict(type='AddFlow')))
val_dataloader = dict(dataset=flow)
test_dataloader = dict(dataset=flow)
