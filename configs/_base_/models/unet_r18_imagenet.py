# The encoder starts from ImageNet. Any of mmpretrain's names can stand here;
# without a network, the path of the downloaded file.
_base_ = './unet_r18.py'
model = dict(
    backbone=dict(
        init_cfg=dict(
            type='Pretrained',
            checkpoint='mmpretrain://resnet18_8xb32_in1k',
            prefix='backbone.',
        )
    )
)
