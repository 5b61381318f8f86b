_base_ = '../rnn_unet/rnn_unet_joint_cityscapes.py'
# What comes from the framewise baseline learns at a tenth of the rate, the
# recurrent modules at five times it.
tenth = dict(lr_mult=0.1)
optim_wrapper = dict(
    paramwise_cfg=dict(custom_keys=dict(backbone=tenth, decode_head=tenth))
)
