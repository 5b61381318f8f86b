_base_ = ['../unet_finetune_cityscapes.py', '../_base_/augments/pairs.py']
# ETC's own setting: framewise nets, trained on pairs of frames.
model = dict(
    type='RecurrentUNet',
    data_preprocessor=dict(type='ClipDataPreProcessor'),
    clip_losses=dict(consistency=dict(type='TemporalConsistencyLoss')),
)
pairs = dict(num_frames=2, augments=_base_.augments)
train_dataloader = dict(dataset=pairs)
