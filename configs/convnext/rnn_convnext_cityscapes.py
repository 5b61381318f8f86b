_base_ = [
    '../_base_/models/convnext_tiny.py',
    '../_base_/datasets/cityscapes_sequence_t5.py',
    '../_base_/schedules/schedule_40k_adamw_finetune.py',
]
neck = dict(type='ConvRNNNeck', in_channels=[96, 192, 384, 768])
clips = dict(type='ClipDataPreProcessor')
model = dict(type='RecurrentUNet', data_preprocessor=clips, neck=neck)
