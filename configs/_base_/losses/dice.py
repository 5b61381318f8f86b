# Losses of any decode head: decode_head=dict(loss_decode=_base_.loss_decode).
loss_decode = [
    dict(type='CrossEntropyLoss'),
    dict(type='DiceLoss', use_sigmoid=False),
]
