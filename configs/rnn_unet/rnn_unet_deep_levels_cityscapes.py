_base_ = './rnn_unet_joint_cityscapes.py'
# Three lateral connections, the deepest being the bottleneck.
model = dict(neck=dict(levels=[1, 2, 3]))
