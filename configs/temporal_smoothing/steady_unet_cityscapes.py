_base_ = [
    '../unet_finetune_cityscapes.py',
    '../_base_/recipes/framewise_steady.py',
]
# Tests a framewise checkpoint of that config.
model = _base_.recipe.model
val_dataloader = _base_.recipe.dataloader
test_dataloader = _base_.recipe.dataloader
