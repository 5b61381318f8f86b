# 450 iterations more, 10 epochs, from the weights of schedule_camvid.
_base_ = './schedule_camvid.py'
optim_wrapper = dict(
    optimizer=dict(lr=3e-4),
    paramwise_cfg=dict(custom_keys=dict(rnn=dict(lr_mult=5.0))),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, end=20, by_epoch=False),
    dict(type='PolyLR', power=0.9, begin=20, end=450, by_epoch=False),
]
train_cfg = dict(max_iters=450, val_interval=450)
default_hooks = dict(checkpoint=dict(interval=150))
