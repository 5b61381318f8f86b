# Binary: what can move, against the background.
_base_ = './cityscapes_sequence.py'
foreground = [
    *('person', 'rider', 'car', 'truck'),
    *('bus', 'train', 'motorcycle', 'bicycle'),
]
train_dataloader = dict(dataset=dict(foreground=foreground))
val_dataloader = dict(dataset=dict(foreground=foreground))
test_dataloader = dict(dataset=dict(foreground=foreground))
val_evaluator = dict(iou_metrics=['mIoU', 'mFscore'])
test_evaluator = val_evaluator
