loss_decode = [
    dict(type='CrossEntropyLoss'),
    dict(type='BoundaryF1Loss', loss_weight=0.5),
]
