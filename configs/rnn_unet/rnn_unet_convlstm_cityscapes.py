_base_ = './rnn_unet_joint_cityscapes.py'
model = dict(neck=dict(cell=dict(type='ConvLSTMCell')))
