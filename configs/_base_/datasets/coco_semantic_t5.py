# Clips to train on; a still is tested as a clip of one frame.
_base_ = './coco_semantic.py'
train_dataloader = dict(dataset=dict(num_frames=5))
