_base_ = '../unet_cityscapes.py'
encoder = dict(
    type='Pretrained',
    checkpoint='work_dirs/densecl_cityscapes/iter_40000.pth',
    prefix='backbone.',
)
model = dict(backbone=dict(init_cfg=encoder))
