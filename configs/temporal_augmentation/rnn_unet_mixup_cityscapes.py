_base_ = '../rnn_unet/rnn_unet_joint_cityscapes.py'
mix = dict(type='ClipMixUp')
model = dict(data_preprocessor=dict(batch_augments=dict(mix=mix)))
