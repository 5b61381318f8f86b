_base_ = '../unet_finetune_camvid.py'
# Without degraded key frames.
train_dataloader = dict(dataset=dict(augments=dict(burst=None)))
