# One's own labelled video: a folder of frames for each video, label maps
# beside them, classes.json in data_root. See docs/en/user_guides/own_data.md.
_base_ = './cityscapes_sequence.py'
data_root = 'data/mine/'
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadRefFrames'),
    dict(type='LoadClipAnnotations'),
    dict(
        type='ForEachFrame',
        transforms=[
            dict(
                type='RandomResize',
                scale=(1024, 512),
                ratio_range=(0.5, 1.5),
                keep_ratio=True,
            ),
            dict(type='RandomCrop', crop_size=(256, 512), cat_max_ratio=0.75),
            dict(type='RandomFlip', prob=0.5),
            dict(type='PhotoMetricDistortion'),
        ],
    ),
    dict(type='PackClipInputs'),
]
# Frames of any size are read at up to 1024x512.
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadRefFrames'),
    dict(
        type='ForEachFrame',
        transforms=[dict(type='Resize', scale=(1024, 512), keep_ratio=True)],
    ),
    dict(type='LoadClipAnnotations'),
    dict(type='PackClipInputs'),
]
folders = dict(
    _delete_=True,
    type='FrameFolderSequenceDataset',
    data_root=data_root,
    num_frames=1,
    frame_interval=1,
)
train_dataloader = dict(
    batch_size=4,
    num_workers=2,
    dataset=dict(
        folders,
        data_prefix=dict(img_path='train', seg_map_path='train'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    num_workers=2,
    dataset=dict(
        folders,
        data_prefix=dict(img_path='val', seg_map_path='val'),
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
