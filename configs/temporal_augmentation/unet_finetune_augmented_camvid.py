_base_ = [
    '../unet_finetune_camvid.py',
    '../_base_/recipes/temporal_augmentation.py',
]
train_dataloader = _base_.recipe.train_dataloader
