# 400 iterations more, from the weights of the first part.
_base_ = './schedule_street.py'
optim_wrapper = dict(optimizer=dict(lr=7e-4))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, end=20, by_epoch=False),
    dict(type='PolyLR', power=0.9, begin=20, end=400, by_epoch=False),
]
train_cfg = dict(max_iters=400, val_interval=400)
