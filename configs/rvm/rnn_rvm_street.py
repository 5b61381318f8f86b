_base_ = [
    '../_base_/models/rvm_unet_r18.py',
    '../_base_/datasets/street_scenes_t5.py',
    '../_base_/schedules/schedule_street_finetune.py',
]
widths = [32, 64, 128, 256]
head = dict(in_channels=widths, channels=32)
backbone = dict(base_channels=32)
neck = dict(in_channels=widths)
model = dict(backbone=backbone, neck=neck, decode_head=head)
