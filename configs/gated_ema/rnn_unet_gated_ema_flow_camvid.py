_base_ = [
    '../temporal_augmentation/rnn_unet_stills_camvid.py',
    '../_base_/recipes/gated_ema_flow.py',
]
model = _base_.recipe.model
train_dataloader = _base_.recipe.dataloader
val_dataloader = _base_.recipe.dataloader
test_dataloader = _base_.recipe.dataloader
