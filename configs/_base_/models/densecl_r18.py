# DenseCL (Wang et al., CVPR 2021, https://arxiv.org/abs/2011.09157) of the
# very encoder of unet_r18.py; views of 224x224, normalised as there.
_base_ = './unet_r18.py'
model = dict(
    _delete_=True,
    type='mmpretrain.DenseCL',
    data_preprocessor=dict(
        type='mmpretrain.SelfSupDataPreprocessor',
        mean=_base_.model.data_preprocessor.mean,
        std=_base_.model.data_preprocessor.std,
        to_rgb=True,
    ),
    # The algorithm reads the deepest level only.
    backbone=dict(_base_.model.backbone, out_indices=(3,)),
    neck=dict(
        type='mmpretrain.DenseCLNeck',
        in_channels=512,
        hid_channels=512,
        out_channels=128,
        num_grid=None,
    ),
    head=dict(
        type='mmpretrain.ContrastiveHead',
        loss=dict(type='mmpretrain.CrossEntropyLoss'),
        temperature=0.2,
    ),
    # A multiple of the batch of all processes.
    queue_len=16384,
    feat_dim=128,
    # Of the key encoder: it keeps 0.999 of itself.
    momentum=0.001,
    loss_lambda=0.5,
)
