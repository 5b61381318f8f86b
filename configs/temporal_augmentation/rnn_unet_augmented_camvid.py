_base_ = ['../rnn_unet_camvid.py', '../_base_/augments/temporal.py']
train_dataloader = dict(dataset=dict(augments=_base_.augments))
