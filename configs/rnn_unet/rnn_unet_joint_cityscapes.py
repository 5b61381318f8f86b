_base_ = [
    '../_base_/models/rnn_unet_r18.py',
    '../_base_/datasets/cityscapes_sequence_t5.py',
    '../_base_/schedules/schedule_40k_finetune.py',
]
