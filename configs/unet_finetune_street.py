_base_ = [
    '_base_/models/unet_r18_half.py',
    '_base_/datasets/street_scenes.py',
    '_base_/schedules/schedule_street_finetune.py',
]
