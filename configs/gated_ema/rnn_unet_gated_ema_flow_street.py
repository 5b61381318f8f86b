_base_ = [
    '../rnn_unet/rnn_unet_joint_street.py',
    '../_base_/recipes/gated_ema_flow.py',
]
model = _base_.recipe.model
train_dataloader = _base_.recipe.dataloader
val_dataloader = _base_.recipe.dataloader
test_dataloader = _base_.recipe.dataloader
