# Wang et al. 2019: four levels, then the recurrent unit with 128 channels in
# the place of the fifth; the mask of the step before is read with the frame.
_base_ = './unet_light.py'
model = dict(
    type='MaskFeedbackSegmentor',
    data_preprocessor=dict(type='ClipDataPreProcessor'),
    backbone=dict(num_levels=4),
    cell=dict(type='DRUCell'),
    num_steps=1,
    loss_decay=0.4,
)
