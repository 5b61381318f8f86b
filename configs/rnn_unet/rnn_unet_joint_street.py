_base_ = [
    '../_base_/models/rnn_unet_r18_half.py',
    '../_base_/datasets/street_scenes_t5.py',
    '../_base_/schedules/schedule_street_finetune.py',
]
