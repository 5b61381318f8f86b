_base_ = '../rnn_unet_cityscapes.py'
model = dict(neck=dict(connection='standard'))
