# The generated street scenes: Cityscapes' layout and classes, small frames.
_base_ = './cityscapes_sequence.py'
data_root = 'data/street_scenes/'
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadRefFrames'),
    dict(type='LoadClipAnnotations'),
    dict(
        type='ForEachFrame',
        transforms=[
            dict(
                type='RandomResize',
                scale=(256, 128),
                ratio_range=(1.0, 1.5),
                keep_ratio=True,
            ),
            dict(type='RandomCrop', crop_size=(128, 256)),
            dict(type='RandomFlip', prob=0.5),
        ],
    ),
    dict(type='PackClipInputs'),
]
# Scenes of any size are read at 128x256.
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadRefFrames'),
    dict(
        type='ForEachFrame',
        transforms=[dict(type='Resize', scale=(256, 128), keep_ratio=True)],
    ),
    dict(type='LoadClipAnnotations'),
    dict(type='PackClipInputs'),
]
train_dataloader = dict(
    batch_size=4,
    num_workers=2,
    dataset=dict(data_root=data_root, pipeline=train_pipeline),
)
val_dataloader = dict(
    num_workers=1,
    dataset=dict(
        data_root=data_root,
        data_prefix=dict(seq_seg_map_path='gtFine_sequence/val'),
        degraded_file='street_scenes.json',
        pipeline=test_pipeline,
    ),
)
test_dataloader = dict(
    num_workers=1,
    dataset=dict(
        data_root=data_root,
        data_prefix=dict(
            img_path='leftImg8bit/test',
            seg_map_path='gtFine/test',
            seq_path='leftImg8bit_sequence/test',
            seq_seg_map_path='gtFine_sequence/test',
        ),
        degraded_file='street_scenes.json',
        pipeline=test_pipeline,
    ),
)
