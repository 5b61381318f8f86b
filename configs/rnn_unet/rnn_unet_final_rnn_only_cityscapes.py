_base_ = './rnn_unet_final_rnn_cityscapes.py'
model = dict(neck=None)
