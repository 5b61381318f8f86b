_base_ = [
    '../rnn_unet_street.py',
    '../_base_/recipes/temporal_augmentation.py',
]
train_dataloader = _base_.recipe.train_dataloader
