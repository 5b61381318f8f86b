_base_ = './rnn_unet_cityscapes.py'
# Batch norm stays at the baseline's statistics: for batches of one or two.
default_hooks = dict(norm_eval=dict(type='NormEvalHook'))
