_base_ = './camvid_sequence_bursts.py'
train_dataloader = dict(dataset=dict(num_frames=3))
val_dataloader = dict(dataset=dict(num_frames=3))
test_dataloader = dict(dataset=dict(num_frames=3))
