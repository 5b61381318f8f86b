_base_ = [
    '../unet_finetune_camvid.py',
    '../_base_/recipes/consistency_pairs.py',
]
model = _base_.recipe.model
train_dataloader = _base_.recipe.train_dataloader
# A clip of T=3 has no longer interval.
train_dataloader.dataset.augments.interval.intervals = (1, 2)
