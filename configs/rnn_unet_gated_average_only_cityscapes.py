_base_ = './rnn_unet_gated_average_cityscapes.py'
model = dict(neck=None)
