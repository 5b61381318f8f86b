_base_ = './rnn_unet_joint_cityscapes.py'
model = dict(neck=dict(levels=[3]))
