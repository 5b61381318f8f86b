_base_ = './frame_folders.py'
train_dataloader = dict(dataset=dict(num_frames=3))
val_dataloader = dict(dataset=dict(num_frames=3))
test_dataloader = dict(dataset=dict(num_frames=3))
