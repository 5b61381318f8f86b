_base_ = '../rnn_unet_camvid.py'
# Without degraded key frames.
train_dataloader = dict(dataset=dict(augments=dict(burst=None)))
