# For both models of a comparison: a single frame only meets the bursts.
recipe = dict(
    train_dataloader=dict(
        dataset=dict(
            augments=dict(
                interval=dict(type='RandomFrameInterval', intervals=(1, 2, 3)),
                slow_motion=dict(
                    type='InterpolateFrames',
                    prob=0.25,
                    flow=dict(type='DISFlow', preset='fast'),
                ),
                reverse=dict(type='ReverseRefFrames', prob=0.1),
                drop=dict(type='DropFrames', prob=0.1),
                noise=dict(type='NoiseFrames', prob=0.2),
                burst=dict(type='RandomBurst', prob=0.3, ref_prob=0.2),
            )
        )
    ),
)
