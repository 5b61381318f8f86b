_base_ = [
    '../rnn_unet/rnn_unet_joint_cityscapes.py',
    '../_base_/losses/lovasz.py',
]
model = dict(decode_head=dict(loss_decode=_base_.loss_decode))
