_base_ = '../unet_finetune_street.py'
# Half of the clips end in a frame labelled by tools/pseudo_label.py.
pseudo = dict(pseudo_path='pseudo_labels/train', weight=0.5, _delete_=True)
clips = dict(type='UnlabelledFrames', dataset=_base_.train_dataloader.dataset)
train_dataloader = dict(dataset=dict(pseudo, **clips))
default_hooks = dict(label_weight=dict(type='LabelWeightHook'))
loss = dict(type='CrossEntropyLoss')
weighted = dict(_delete_=True, type='SampleWeightedLoss', loss=loss)
model = dict(decode_head=dict(loss_decode=weighted))
