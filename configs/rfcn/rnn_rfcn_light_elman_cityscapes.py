_base_ = './rnn_rfcn_light_cityscapes.py'
cell = dict(type='ElmanCell')
model = dict(head_rnns=dict(conv_seg=dict(cell=cell)))
