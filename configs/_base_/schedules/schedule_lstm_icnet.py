# LSTM-ICNet's (Pfeuffer et al., 2019), from the weights of a framewise net:
# Adam 5e-5, weight decay 1e-4, gradient norm clipped at 10. The 60k
# iterations and the decay of the rate are ours.
_base_ = './schedule_80k.py'
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='Adam', lr=5e-5, weight_decay=1e-4),
)
param_scheduler = [dict(type='PolyLR', power=0.9, end=60000, by_epoch=False)]
train_cfg = dict(max_iters=60000, val_interval=6000)
default_hooks = dict(checkpoint=dict(interval=6000))
