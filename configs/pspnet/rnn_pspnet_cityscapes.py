_base_ = [
    '../_base_/models/pspnet_r18.py',
    '../_base_/datasets/cityscapes_sequence_t5.py',
    '../_base_/schedules/schedule_40k_finetune.py',
]
neck = dict(type='ConvRNNNeck', in_channels=[64, 128, 256, 512], levels=[3])
clips = dict(type='ClipDataPreProcessor')
model = dict(type='RecurrentUNet', data_preprocessor=clips, neck=neck)
