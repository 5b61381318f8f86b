_base_ = './rnn_icnet_v6_cityscapes.py'
lstm = dict(type='ConvLSTMCell', conv='spatial')
branches = dict(_base_.branches, cell=lstm)
fusion = dict(_base_.fusion, cell=lstm)
model = dict(neck=[branches, _base_.model.neck[1], fusion])
