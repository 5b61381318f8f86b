_base_ = './unet_finetune_cityscapes.py'
default_hooks = dict(norm_eval=dict(type='NormEvalHook'))
