loss_decode = [
    dict(type='CrossEntropyLoss'),
    dict(type='LovaszLoss', reduction='none'),
]
