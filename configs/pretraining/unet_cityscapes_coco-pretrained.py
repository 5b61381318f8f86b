_base_ = [
    '../_base_/models/unet_r18.py',
    '../_base_/datasets/cityscapes_sequence.py',
    '../_base_/schedules/schedule_80k_coco-pretrained.py',
]
