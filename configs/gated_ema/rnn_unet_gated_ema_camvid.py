_base_ = ['../rnn_unet_camvid.py', '../_base_/recipes/gated_ema.py']
model = _base_.recipe.model
