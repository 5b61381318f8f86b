_base_ = '../rnn_unet/rnn_unet_joint_cityscapes.py'
# RVM's unit in our place: on the laterals, before the decoder.
model = dict(neck=dict(connection='split', hidden_ratio=0.5))
