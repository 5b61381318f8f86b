_base_ = [
    '../_base_/models/rnn_unet_r18.py',
    '../_base_/datasets/coco_semantic_t5.py',
    '../_base_/schedules/schedule_40k_finetune.py',
]
model = dict(decode_head=dict(num_classes=91))
load_from = 'work_dirs/unet_coco/iter_80000.pth'
