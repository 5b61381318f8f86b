_base_ = [
    '../_base_/models/rnn_unet_vgg16.py',
    '../_base_/datasets/cityscapes_sequence_t4.py',
    '../_base_/schedules/schedule_lstm_icnet.py',
]
# The bottleneck, between encoder and decoder.
lstm = dict(type='ConvLSTMCell')
place = dict(levels=[4], connection='standard', hidden_ratio=1.0, cell=lstm)
model = dict(neck=place)
