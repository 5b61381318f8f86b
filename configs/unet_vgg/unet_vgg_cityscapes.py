_base_ = [
    '../_base_/models/unet_vgg16.py',
    '../_base_/datasets/cityscapes_sequence.py',
    '../_base_/schedules/schedule_80k.py',
]
