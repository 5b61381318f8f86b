_base_ = './rnn_icnet_v5_cityscapes.py'
lstm = dict(type='ConvLSTMCell', conv='depthwise')
branches = dict(_base_.branches, cell=lstm)
model = dict(neck=[branches, _base_.model.neck[1]])
