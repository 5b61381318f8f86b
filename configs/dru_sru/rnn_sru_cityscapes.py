_base_ = './rnn_dru_cityscapes.py'
model = dict(cell=dict(type='SRUCell'))
