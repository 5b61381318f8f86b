_base_ = './rnn_dru_refine_cityscapes.py'
model = dict(cell=dict(type='SRUCell'))
