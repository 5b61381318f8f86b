# 40k iterations more, from the weights of schedule_80k_adamw, for the
# recurrent model and for the framewise one alike.
_base_ = './schedule_80k_adamw.py'
optim_wrapper = dict(
    optimizer=dict(lr=1.2e-5),
    paramwise_cfg=dict(custom_keys=dict(rnn=dict(lr_mult=10.0))),
)
param_scheduler = [dict(type='PolyLR', power=1.0, end=40000, by_epoch=False)]
train_cfg = dict(max_iters=40000, val_interval=4000)
default_hooks = dict(checkpoint=dict(interval=4000))
