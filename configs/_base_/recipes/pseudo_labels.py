# Half of the clips end in a frame labelled by tools/pseudo_label.py. The leaf
# puts the base's data set into `dataset`.
recipe = dict(
    dataset=dict(
        _delete_=True,
        type='UnlabelledFrames',
        pseudo_path='pseudo_labels/train',
        weight=0.5,
    ),
    default_hooks=dict(label_weight=dict(type='LabelWeightHook')),
    model=dict(
        decode_head=dict(
            loss_decode=dict(
                _delete_=True,
                type='SampleWeightedLoss',
                loss=dict(type='CrossEntropyLoss'),
            )
        )
    ),
)
