_base_ = './rnn_unet_r18.py'
norm_cfg = dict(type='GN', num_groups=32)
model = dict(
    backbone=dict(norm_cfg=norm_cfg), decode_head=dict(norm_cfg=norm_cfg)
)
