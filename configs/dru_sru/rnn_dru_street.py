_base_ = [
    '../_base_/models/dru.py',
    '../_base_/datasets/street_scenes_t5.py',
    '../_base_/schedules/schedule_street.py',
]
