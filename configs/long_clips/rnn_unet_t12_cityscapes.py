_base_ = '../rnn_unet/rnn_unet_joint_cityscapes.py'
train_dataloader = dict(dataset=dict(num_frames=12))
val_dataloader = dict(dataset=dict(num_frames=12))
test_dataloader = dict(dataset=dict(num_frames=12))
