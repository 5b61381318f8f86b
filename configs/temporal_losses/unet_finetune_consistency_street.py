_base_ = [
    '../unet_finetune_street.py',
    '../_base_/recipes/consistency_pairs.py',
]
model = _base_.recipe.model
train_dataloader = _base_.recipe.train_dataloader
