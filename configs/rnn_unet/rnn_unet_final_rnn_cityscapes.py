_base_ = './rnn_unet_joint_cityscapes.py'
model = dict(final_rnn=dict(type='ConvRNN', hidden_ratio=0.5))
