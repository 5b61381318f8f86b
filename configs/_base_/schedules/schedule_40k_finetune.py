# 40k iterations more, from the weights of schedule_80k, for the recurrent
# model and for the framewise one alike.
_base_ = './schedule_80k.py'
optim_wrapper = dict(
    optimizer=dict(lr=0.002),
    paramwise_cfg=dict(custom_keys=dict(rnn=dict(lr_mult=5.0))),
)
param_scheduler = [
    dict(type='PolyLR', eta_min=1e-4, power=0.9, end=40000, by_epoch=False)
]
train_cfg = dict(max_iters=40000, val_interval=4000)
default_hooks = dict(checkpoint=dict(interval=4000))
