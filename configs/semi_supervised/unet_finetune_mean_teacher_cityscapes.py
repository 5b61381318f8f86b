_base_ = '../unet_finetune_cityscapes.py'
# Half of the clips end in a frame that the model's own average labels.
clips = dict(type='UnlabelledFrames', dataset=_base_.train_dataloader.dataset)
train_dataloader = dict(dataset=dict(clips, _delete_=True))
mix = dict(type='ClipClassMix')
model = dict(data_preprocessor=dict(batch_augments=dict(mix=mix)))
default_hooks = dict(teacher=dict(type='MeanTeacherHook'))
