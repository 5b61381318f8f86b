# SegFormer-B0 (Xie et al., NeurIPS 2021): an all-MLP head on all levels.
_base_ = './encoder_decoder.py'
model = dict(
    backbone=dict(
        type='MixVisionTransformer',
        embed_dims=32,
        num_layers=[2, 2, 2, 2],
        num_heads=[1, 2, 5, 8],
        sr_ratios=[8, 4, 2, 1],
        qkv_bias=True,
        drop_path_rate=0.1,
    ),
    decode_head=dict(
        type='SegformerHead',
        in_channels=[32, 64, 160, 256],
        in_index=[0, 1, 2, 3],
        channels=256,
        num_classes=19,
        norm_cfg=_base_.norm_cfg,
        loss_decode=dict(type='CrossEntropyLoss'),
    ),
)
