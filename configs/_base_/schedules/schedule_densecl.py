# 40k iterations of batch 64: 29 times through Cityscapes' 89,250 training
# frames. DenseCL's optimiser, its rate for that batch.
_base_ = '../default_runtime.py'
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(
        type='SGD', lr=0.03 * 64 / 256, momentum=0.9, weight_decay=1e-4
    ),
)
param_scheduler = [dict(type='CosineAnnealingLR', T_max=40000, by_epoch=False)]
train_cfg = dict(type='IterBasedTrainLoop', max_iters=40000)
default_hooks = dict(checkpoint=dict(interval=4000))
custom_hooks = [
    *_base_.custom_hooks,
    # The dense loss joins when the features can be matched.
    dict(type='mmpretrain.DenseCLHook', start_iters=1000),
]
find_unused_parameters = True
