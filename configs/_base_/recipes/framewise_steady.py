_base_ = './framewise_flow_ema.py'
# A long average that forgets what flow does not explain: the filter of
# steady(), see mmseg_video/models/steady_filters.py.
recipe = dict(
    model=dict(filter=dict(weight=0.1, of='probabilities')),
    dataloader=dict(
        dataset=dict(
            augments=dict(
                flow=dict(
                    estimator=dict(type='DISFlow', preset='medium'),
                    min_size=None,
                    max_error_ratio=None,
                    noise_scale=4.0,
                    blur=1,
                )
            )
        )
    ),
)
