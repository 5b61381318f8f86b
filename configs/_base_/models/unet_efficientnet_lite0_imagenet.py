# The encoder starts from ImageNet, by the weights of the package index:
# tools/model_converters/efficientnet_lite0.py writes the file.
_base_ = './unet_efficientnet_lite0.py'
model = dict(
    backbone=dict(
        init_cfg=dict(
            type='Pretrained',
            checkpoint='work_dirs/pretrained/efficientnet_lite0.pth',
        )
    )
)
