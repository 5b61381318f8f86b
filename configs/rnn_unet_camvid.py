_base_ = [
    '_base_/models/rnn_unet_efficientnet_lite0.py',
    '_base_/datasets/camvid_sequence_bursts_t3.py',
    '_base_/schedules/schedule_camvid_finetune.py',
    '_base_/losses/camvid.py',
]
model = dict(
    decode_head=_base_.camvid_head,
    train_cfg=dict(ref_grad=False),
)
