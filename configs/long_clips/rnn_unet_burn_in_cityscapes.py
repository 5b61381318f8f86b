_base_ = [
    '../rnn_unet/rnn_unet_joint_cityscapes.py',
    '../_base_/recipes/burn_in.py',
]
model = _base_.recipe.model
train_dataloader = _base_.recipe.train_dataloader
