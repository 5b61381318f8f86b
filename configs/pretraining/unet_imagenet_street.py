_base_ = [
    '../_base_/models/unet_efficientnet_lite0_imagenet.py',
    '../_base_/datasets/street_scenes.py',
    '../_base_/schedules/schedule_street.py',
]
