# 80k iterations of AdamW, with SegFormer's rates: the head's tenfold.
_base_ = './schedule_80k.py'
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='AdamW', lr=6e-5, weight_decay=0.01),
    paramwise_cfg=dict(
        custom_keys=dict(head=dict(lr_mult=10.0)), norm_decay_mult=0.0
    ),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-6, end=1500, by_epoch=False),
    dict(type='PolyLR', power=1.0, begin=1500, end=80000, by_epoch=False),
]
