# CamVid, 480x360, 11 classes, in the usual folders.
dataset_type = 'CamVidSequenceDataset'
data_root = 'data/camvid/'
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadRefFrames'),
    dict(type='LoadClipAnnotations'),
    dict(
        type='ForEachFrame',
        transforms=[
            dict(
                type='RandomResize',
                scale=(480, 360),
                ratio_range=(0.6, 1.5),
                keep_ratio=True,
            ),
            dict(type='RandomCrop', crop_size=(192, 256), cat_max_ratio=0.75),
            dict(type='RandomFlip', prob=0.5),
            dict(type='PhotoMetricDistortion'),
        ],
    ),
    dict(type='PackClipInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadRefFrames'),
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
    batch_size=8,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='train', seg_map_path='trainannot'),
        num_frames=1,
        frame_interval=1,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        data_prefix=dict(img_path='val', seg_map_path='valannot'),
        num_frames=1,
        frame_interval=1,
        pipeline=test_pipeline,
    ),
)
test_dataloader = dict(
    val_dataloader,
    dataset=dict(
        val_dataloader['dataset'],
        data_prefix=dict(img_path='test', seg_map_path='testannot'),
    ),
)
val_evaluator = dict(type='IoUMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
