# Half of the clips end in a frame that the model's own average labels. The
# leaf puts the base's data set into `dataset`.
recipe = dict(
    dataset=dict(_delete_=True, type='UnlabelledFrames'),
    default_hooks=dict(teacher=dict(type='MeanTeacherHook')),
    model=dict(
        data_preprocessor=dict(
            batch_augments=dict(mix=dict(type='ClipClassMix'))
        )
    ),
)
