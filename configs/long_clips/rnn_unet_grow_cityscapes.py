_base_ = '../rnn_unet/rnn_unet_joint_cityscapes.py'
# T = 5, then 8, then 12.
default_hooks = dict(
    grow=dict(type='GrowClipHook', milestones={16000: 8, 32000: 12})
)
