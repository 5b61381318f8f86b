_base_ = '../unet_finetune_camvid.py'
# Tests a framewise checkpoint of that config.
model = dict(
    type='RecurrentUNet',
    data_preprocessor=dict(type='ClipDataPreProcessor'),
    filter=dict(type='EMAFilter', weight=0.5),
)
val_dataloader = dict(dataset=dict(num_frames=3))
test_dataloader = dict(dataset=dict(num_frames=3))
