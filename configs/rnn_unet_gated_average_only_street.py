_base_ = './rnn_unet_gated_average_street.py'
model = dict(neck=None)
