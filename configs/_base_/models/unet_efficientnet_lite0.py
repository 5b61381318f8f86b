# EfficientNet-Lite0; the decoder ends at stride 4. Its ImageNet weights
# come from the package index, see docs/en/user_guides/pretraining.md.
_base_ = './unet_r18.py'
model = dict(
    data_preprocessor=dict(mean=[127.5] * 3, std=[127.5] * 3),
    backbone=dict(
        _delete_=True,
        type='TIMMBackbone',
        model_name='tf_efficientnet_lite0',
        features_only=True,
        pretrained=False,
    ),
    decode_head=dict(
        in_channels=[24, 40, 112, 320],
        in_index=[1, 2, 3, 4],
        decoder_channels=[64, 64, 128],
        channels=64,
    ),
)
