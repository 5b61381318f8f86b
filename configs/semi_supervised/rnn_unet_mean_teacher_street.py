_base_ = [
    '../rnn_unet/rnn_unet_joint_street.py',
    '../_base_/recipes/mean_teacher.py',
]
clips = dict(_base_.recipe.dataset, dataset=_base_.train_dataloader.dataset)
train_dataloader = dict(dataset=clips)
teacher = dict(_base_.recipe.default_hooks.teacher, momentum=0.01)
default_hooks = dict(teacher=teacher)
model = _base_.recipe.model
