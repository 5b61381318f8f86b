_base_ = './rnn_unet_cityscapes.py'
default_hooks = dict(speed=dict(channels_last=True, compile=True))
