# 10k iterations of the recurrent modules alone, behind the net of
# schedule_80k, at the rate that they have in schedule_40k_finetune. On street
# scenes a fiftieth of the net's iterations is enough.
_base_ = './schedule_40k_finetune.py'
param_scheduler = [
    dict(type='PolyLR', eta_min=1e-4, power=0.9, end=10000, by_epoch=False)
]
train_cfg = dict(max_iters=10000, val_interval=2000)
default_hooks = dict(
    checkpoint=dict(interval=2000), freeze=dict(type='FreezeHook')
)
