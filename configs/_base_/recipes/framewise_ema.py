_base_ = './ema.py'
# Tests a framewise checkpoint on clips.
recipe = dict(
    model=dict(
        type='RecurrentUNet',
        data_preprocessor=dict(type='ClipDataPreProcessor'),
    ),
    dataloader=dict(dataset=dict(num_frames=5)),
)
