_base_ = '../rnn_unet/rnn_unet_joint_cityscapes.py'
# Clips of all twenty frames, the gradient through the last five.
model = dict(train_cfg=dict(bptt=5))
train_dataloader = dict(dataset=dict(num_frames=20))
