_base_ = './rnn_unet_gated_ema_cityscapes.py'
model = dict(neck=None)
