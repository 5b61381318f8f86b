_base_ = [
    '_base_/models/unet_efficientnet_lite0_imagenet.py',
    '_base_/datasets/camvid_sequence.py',
    '_base_/schedules/schedule_camvid.py',
]
model = dict(decode_head=dict(num_classes=11))
