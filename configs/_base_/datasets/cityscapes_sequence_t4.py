_base_ = './cityscapes_sequence.py'
train_dataloader = dict(dataset=dict(num_frames=4))
val_dataloader = dict(dataset=dict(num_frames=4))
test_dataloader = dict(dataset=dict(num_frames=4))
