_base_ = './rnn_unet_gated_ema_camvid.py'
model = dict(neck=None)
