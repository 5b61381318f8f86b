_base_ = ['../unet_finetune_camvid.py', '../_base_/augments/pairs.py']
# ETC's own setting: framewise nets, trained on pairs of frames.
model = dict(
    type='RecurrentUNet',
    data_preprocessor=dict(type='ClipDataPreProcessor'),
    clip_losses=dict(consistency=dict(type='TemporalConsistencyLoss')),
)
interval = dict(_base_.augments.interval, intervals=(1, 2))  # T=3 has no more
pairs = dict(num_frames=2, augments=dict(_base_.augments, interval=interval))
train_dataloader = dict(dataset=pairs)
