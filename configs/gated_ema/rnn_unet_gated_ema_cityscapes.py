_base_ = [
    '../rnn_unet/rnn_unet_joint_cityscapes.py',
    '../_base_/recipes/gated_ema.py',
]
model = _base_.recipe.model
