# 600 iterations of the recurrent modules alone, behind a net that is trained.
_base_ = './schedule_street_finetune.py'
optim_wrapper = dict(optimizer=dict(lr=5e-3))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, end=20, by_epoch=False),
    dict(type='PolyLR', power=0.9, begin=20, end=600, by_epoch=False),
]
train_cfg = dict(max_iters=600, val_interval=600)
default_hooks = dict(
    checkpoint=dict(interval=100), freeze=dict(type='FreezeHook')
)
