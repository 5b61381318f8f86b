_base_ = '../rnn_unet/rnn_unet_joint_cityscapes.py'
# Noisy-LSTM: in half of the clips, a ref frame is noise.
noise = dict(type='NoiseFrames', prob=0.5)
train_dataloader = dict(dataset=dict(augments=dict(noise=noise)))
