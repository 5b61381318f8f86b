_base_ = [
    '../rnn_unet/rnn_unet_joint_cityscapes.py',
    '../_base_/recipes/ema.py',
]
# Tests a recurrent checkpoint of that config.
model = _base_.recipe.model
