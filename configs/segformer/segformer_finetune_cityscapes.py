_base_ = [
    '../_base_/models/segformer_b0.py',
    '../_base_/datasets/cityscapes_sequence.py',
    '../_base_/schedules/schedule_40k_adamw_finetune.py',
]
