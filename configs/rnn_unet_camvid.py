_base_ = [
    '_base_/models/rnn_unet_efficientnet_lite0.py',
    '_base_/datasets/camvid_sequence_bursts_t3.py',
    '_base_/schedules/schedule_camvid_finetune.py',
]
model = dict(
    decode_head=dict(num_classes=11),
    train_cfg=dict(ref_grad=False),
)
