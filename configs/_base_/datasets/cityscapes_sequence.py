# Cityscapes with the frames before each labelled one. One frame a clip here;
# cityscapes_sequence_t5.py has five.
dataset_type = 'CityscapesSequenceDataset'
data_root = 'data/cityscapes/'
train_pipeline = [
    dict(type='LoadClip'),
    dict(type='LoadClipAnnotations'),
    dict(
        type='ClipAugment',
        transforms=[
            dict(
                type='RandomResize',
                scale=(2048, 1024),
                ratio_range=(0.5, 2.0),
                keep_ratio=True,
            ),
            dict(type='RandomCrop', crop_size=(512, 1024), cat_max_ratio=0.75),
            dict(type='RandomFlip', prob=0.5),
            dict(type='PhotoMetricDistortion'),
        ],
    ),
    dict(type='PackClipInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadRefFrames'),
    dict(
        type='ForEachFrame',
        transforms=[dict(type='Resize', scale=(2048, 1024), keep_ratio=True)],
    ),
    dict(type='LoadClipAnnotations'),
    dict(type='PackClipInputs'),
]
tta_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadRefFrames'),
    dict(
        type='TestTimeAug',
        transforms=[
            [
                dict(
                    type='ForEachFrame',
                    transforms=[
                        dict(
                            type='Resize', scale_factor=ratio, keep_ratio=True
                        )
                    ],
                )
                for ratio in (0.75, 1.0, 1.25)
            ],
            [
                dict(
                    type='ForEachFrame',
                    transforms=[dict(type='RandomFlip', prob=prob)],
                )
                for prob in (0.0, 1.0)
            ],
            [dict(type='LoadClipAnnotations')],
            [dict(type='PackClipInputs')],
        ],
    ),
]
train_dataloader = dict(
    batch_size=2,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(
            img_path='leftImg8bit/train',
            seg_map_path='gtFine/train',
            seq_path='leftImg8bit_sequence/train',
        ),
        num_frames=1,
        frame_interval=1,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(
            img_path='leftImg8bit/val',
            seg_map_path='gtFine/val',
            seq_path='leftImg8bit_sequence/val',
        ),
        num_frames=1,
        frame_interval=1,
        pipeline=test_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
