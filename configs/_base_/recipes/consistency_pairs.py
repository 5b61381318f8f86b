# ETC's own setting: framewise nets, trained on pairs of frames up to three
# frames apart, and the flow between them.
recipe = dict(
    model=dict(
        type='RecurrentUNet',
        data_preprocessor=dict(type='ClipDataPreProcessor'),
        clip_losses=dict(consistency=dict(type='TemporalConsistencyLoss')),
    ),
    train_dataloader=dict(
        dataset=dict(
            num_frames=2,
            augments=dict(
                interval=dict(type='RandomFrameInterval', intervals=(1, 2, 3)),
                ref_flow=dict(type='AddRefFlow', gaps=(1,)),
            ),
        )
    ),
)
