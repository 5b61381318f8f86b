_base_ = [
    '../unet_finetune_camvid.py',
    '../_base_/recipes/framewise_steady.py',
]
# Tests a framewise checkpoint of that config.
model = _base_.recipe.model
clips = dict(dataset=dict(_base_.recipe.dataloader.dataset, num_frames=3))
val_dataloader = clips
test_dataloader = clips
