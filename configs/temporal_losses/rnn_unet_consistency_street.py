_base_ = [
    '../rnn_unet/rnn_unet_joint_street.py',
    '../_base_/recipes/consistency.py',
]
model = _base_.recipe.model
train_dataloader = _base_.recipe.train_dataloader
