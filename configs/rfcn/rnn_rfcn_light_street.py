_base_ = [
    '../_base_/models/rfcn_light.py',
    '../_base_/datasets/street_scenes_t5.py',
    '../_base_/schedules/schedule_street_finetune.py',
]
