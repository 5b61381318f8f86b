_base_ = './rnn_unet_gated_ema_street.py'
model = dict(neck=None)
