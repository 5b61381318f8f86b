_base_ = [
    '../_base_/models/dru.py',
    '../_base_/datasets/cityscapes_sequence_t5.py',
    '../_base_/schedules/schedule_80k.py',
]
