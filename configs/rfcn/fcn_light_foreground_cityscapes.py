_base_ = [
    '../_base_/models/fcn_light.py',
    '../_base_/datasets/cityscapes_foreground.py',
    '../_base_/schedules/schedule_80k.py',
]
model = dict(decode_head=dict(num_classes=2))
