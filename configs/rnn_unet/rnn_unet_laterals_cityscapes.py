_base_ = './rnn_unet_joint_cityscapes.py'
# Every lateral but the bottleneck.
model = dict(neck=dict(levels=[0, 1, 2]))
