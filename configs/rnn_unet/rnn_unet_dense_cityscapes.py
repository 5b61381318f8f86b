_base_ = './rnn_unet_joint_cityscapes.py'
# concat(x, h): a quarter more channels on each level.
model = dict(
    neck=dict(connection='dense'),
    decode_head=dict(
        in_channels=[80, 160, 320, 640], decoder_channels=[64, 128, 256]
    ),
)
