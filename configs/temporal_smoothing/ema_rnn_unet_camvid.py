_base_ = ['../rnn_unet_camvid.py', '../_base_/recipes/ema.py']
# Tests a recurrent checkpoint of that config.
model = _base_.recipe.model
