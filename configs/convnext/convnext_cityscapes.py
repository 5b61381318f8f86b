_base_ = [
    '../_base_/models/convnext_tiny.py',
    '../_base_/datasets/cityscapes_sequence.py',
    '../_base_/schedules/schedule_80k_adamw.py',
]
