_base_ = './rnn_unet_joint_cityscapes.py'
# No gates: the floor.
model = dict(neck=dict(cell=dict(type='ElmanCell')))
