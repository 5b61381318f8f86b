_base_ = ['../rnn_unet_cityscapes.py', '../_base_/augments/temporal.py']
train_dataloader = dict(dataset=dict(augments=_base_.augments))
