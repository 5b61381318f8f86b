_base_ = './rnn_dru_cityscapes.py'
model = dict(decode_head=dict(in_channels=[8, 16, 32, 64, 64]))
