_base_ = './rnn_unet_gated_average_camvid.py'
model = dict(neck=None)
