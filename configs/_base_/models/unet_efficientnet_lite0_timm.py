# The encoder starts from ImageNet; timm fetches the weights.
_base_ = './unet_efficientnet_lite0.py'
model = dict(backbone=dict(pretrained=True))
