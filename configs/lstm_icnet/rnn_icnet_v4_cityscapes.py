_base_ = [
    '../_base_/models/rnn_icnet_r18.py',
    '../_base_/datasets/cityscapes_sequence_t4.py',
    '../_base_/schedules/schedule_lstm_icnet.py',
]
# The ends of the quarter- and half-resolution branches.
model = dict(neck=[dict(_base_.branches, levels=[1, 2]), _base_.model.neck])
