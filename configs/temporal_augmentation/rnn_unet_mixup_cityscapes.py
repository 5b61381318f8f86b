_base_ = '../rnn_unet_cityscapes.py'
mix = dict(type='ClipMixUp')
model = dict(data_preprocessor=dict(batch_augments=dict(mix=mix)))
