_base_ = './rnn_unet_joint_cityscapes.py'
model = dict(neck=dict(hidden_ratio=0.5, cell=dict(conv='depthwise')))
