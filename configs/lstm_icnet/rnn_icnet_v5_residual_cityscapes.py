_base_ = './rnn_icnet_v5_cityscapes.py'
# Equal to the framewise net before the first step, as the paper's is not.
branches = dict(_base_.branches, connection='residual')
model = dict(neck=[branches, _base_.model.neck[1]])
