_base_ = '../rnn_unet/rnn_unet_joint_cityscapes.py'
# Only the recurrent modules train at first, as in GRFP (Nilsson and
# Sminchisescu, 2018).
default_hooks = dict(freeze=dict(type='FreezeHook', num_iters=5000))
