_base_ = [
    '../_base_/models/unet_r18.py',
    '../_base_/datasets/coco_stuff164k.py',
    '../_base_/schedules/schedule_80k.py',
]
model = dict(decode_head=dict(num_classes=171))
