_base_ = './cityscapes_foreground.py'
train_dataloader = dict(dataset=dict(num_frames=5))
val_dataloader = dict(dataset=dict(num_frames=5))
test_dataloader = dict(dataset=dict(num_frames=5))
