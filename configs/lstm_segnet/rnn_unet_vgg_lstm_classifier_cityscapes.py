_base_ = [
    '../_base_/models/rnn_unet_vgg16.py',
    '../_base_/datasets/cityscapes_sequence_t4.py',
    '../_base_/schedules/schedule_lstm_icnet.py',
]
# Behind the decoder, before the classifier; no recurrent laterals.
lstm = dict(type='ConvLSTMCell')
model = dict(neck=None, final_rnn=dict(connection='standard', cell=lstm))
