_base_ = [
    '../_base_/models/rnn_icnet_r18.py',
    '../_base_/datasets/cityscapes_sequence_t4.py',
    '../_base_/schedules/schedule_lstm_icnet.py',
]
# The end of the full-resolution branch.
model = dict(neck=[dict(_base_.branches, levels=[0]), _base_.model.neck])
