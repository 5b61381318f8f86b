_base_ = './rnn_icnet_v2_cityscapes.py'
lstm = dict(type='ConvLSTMCell', conv='spatial')
fusion = dict(_base_.fusion, cell=lstm)
model = dict(neck=[_base_.model.neck[0], fusion])
