_base_ = './rnn_unet_gated_ema_stills_camvid.py'
# The state of the gated EMA is warped by optical flow.
model = dict(flow_compensated=True)
flow = dict(augments=dict(flow=dict(type='AddFlow')))
train_dataloader = dict(dataset=flow)
val_dataloader = dict(dataset=flow)
test_dataloader = dict(dataset=flow)
