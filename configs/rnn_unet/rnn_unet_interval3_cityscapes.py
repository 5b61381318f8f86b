_base_ = './rnn_unet_joint_cityscapes.py'
train_dataloader = dict(dataset=dict(frame_interval=3))
val_dataloader = dict(dataset=dict(frame_interval=3))
test_dataloader = dict(dataset=dict(frame_interval=3))
