# CamVid's classes, and ENet's weights for them: 1 / ln(1.1 + frequency),
# scaled to a mean of 1 over the pixels of `train`: of these, 1 % are poles and
# 0.3 % bicyclists.
camvid_head = dict(
    num_classes=11,
    loss_decode=dict(
        type='CrossEntropyLoss',
        class_weight=[
            *(0.982, 0.811, 2.283, 0.668, 1.744, 1.302),
            *(2.245, 2.254, 1.599, 2.356, 2.435),
        ],
    ),
)
