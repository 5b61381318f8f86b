_base_ = './rnn_unet_joint_street.py'
# concat(x, h): a quarter more channels on each level.
model = dict(
    neck=dict(connection='dense'),
    decode_head=dict(
        in_channels=[40, 80, 160, 320], decoder_channels=[32, 64, 128]
    ),
)
