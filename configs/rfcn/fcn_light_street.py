_base_ = [
    '../_base_/models/fcn_light.py',
    '../_base_/datasets/street_scenes.py',
    '../_base_/schedules/schedule_street.py',
]
