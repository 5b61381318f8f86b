_base_ = [
    '../rnn_unet/rnn_unet_joint_street.py',
    '../_base_/recipes/temporal_augmentation.py',
]
train_dataloader = _base_.recipe.train_dataloader
