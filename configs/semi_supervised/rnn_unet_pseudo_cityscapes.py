_base_ = [
    '../rnn_unet/rnn_unet_joint_cityscapes.py',
    '../_base_/recipes/pseudo_labels.py',
]
clips = dict(_base_.recipe.dataset, dataset=_base_.train_dataloader.dataset)
train_dataloader = dict(dataset=clips)
default_hooks = _base_.recipe.default_hooks
model = _base_.recipe.model
