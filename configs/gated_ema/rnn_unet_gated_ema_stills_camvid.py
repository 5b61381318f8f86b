_base_ = [
    '../temporal_augmentation/rnn_unet_stills_camvid.py',
    '../_base_/recipes/gated_ema.py',
]
model = dict(_base_.recipe.model, neck=None)
