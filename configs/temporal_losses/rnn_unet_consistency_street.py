_base_ = ['../rnn_unet_street.py', '../_base_/recipes/consistency.py']
model = _base_.recipe.model
train_dataloader = _base_.recipe.train_dataloader
