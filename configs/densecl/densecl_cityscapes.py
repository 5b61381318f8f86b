_base_ = [
    '../_base_/models/densecl_r18.py',
    '../_base_/datasets/cityscapes_unlabelled.py',
    '../_base_/schedules/schedule_densecl.py',
]
