_base_ = '../rnn_unet/rnn_unet_joint_cityscapes.py'
# The pixels that are predicted with less than 0.7, at least 100,000 a batch.
ohem = dict(type='OHEMPixelSampler', thresh=0.7, min_kept=100000)
model = dict(decode_head=dict(sampler=ohem))
