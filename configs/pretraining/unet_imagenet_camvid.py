_base_ = [
    '../_base_/models/unet_efficientnet_lite0_imagenet.py',
    '../_base_/datasets/camvid_sequence.py',
    '../_base_/schedules/schedule_camvid.py',
    '../_base_/losses/camvid.py',
]
model = dict(decode_head=_base_.camvid_head)
