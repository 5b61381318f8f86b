# 450 iterations of the recurrent modules alone, behind a net that is trained.
_base_ = './schedule_camvid_finetune.py'
optim_wrapper = dict(optimizer=dict(lr=5e-3), paramwise_cfg=None)
default_hooks = dict(freeze=dict(type='FreezeHook'))
