_base_ = '../rnn_unet/rnn_unet_joint_street.py'
# T = 5, then 8, then 12.
default_hooks = dict(
    grow=dict(type='GrowClipHook', milestones={160: 8, 320: 12})
)
