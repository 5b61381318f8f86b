_base_ = '../rnn_unet/rnn_unet_joint_cityscapes.py'
sampler = dict(type='RareClassSampler', cache_dir='work_dirs/class_statistics')
train_dataloader = dict(sampler=sampler)
