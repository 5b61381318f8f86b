_base_ = [
    '../_base_/models/rnn_icnet_r18.py',
    '../_base_/datasets/cityscapes_sequence_t4.py',
    '../_base_/schedules/schedule_lstm_icnet.py',
]
# v5 and v2.
model = dict(neck=[_base_.branches, _base_.model.neck, _base_.fusion])
