# 600 iterations of net and recurrent modules together, from the weights of a
# net that is trained.
_base_ = './schedule_street_finetune.py'
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, end=20, by_epoch=False),
    dict(type='PolyLR', power=0.9, begin=20, end=600, by_epoch=False),
]
train_cfg = dict(max_iters=600, val_interval=600)
