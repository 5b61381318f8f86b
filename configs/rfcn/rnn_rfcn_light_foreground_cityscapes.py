_base_ = [
    '../_base_/models/rfcn_light.py',
    '../_base_/datasets/cityscapes_foreground_t5.py',
    '../_base_/schedules/schedule_40k_finetune.py',
]
model = dict(decode_head=dict(num_classes=2))
