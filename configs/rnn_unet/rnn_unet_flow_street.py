# Tests and runs the weights of rnn_unet_street.py, the state of its gated EMA
# warped by optical flow.
_base_ = '../rnn_unet_street.py'
model = dict(flow_compensated=True)
along = dict(dataset=dict(augments=dict(flow=dict(type='AddFlow'))))
val_dataloader = along
test_dataloader = along
