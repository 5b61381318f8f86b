_base_ = [
    '../_base_/models/unet_r18_gn.py',
    '../_base_/datasets/cityscapes_sequence.py',
    '../_base_/schedules/schedule_40k_finetune.py',
]
