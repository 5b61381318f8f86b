_base_ = '../rnn_unet/rnn_unet_joint_cityscapes.py'
# A discriminator tells predicted label maps from true ones.
model = dict(clip_losses=dict(adversarial=dict(type='AdversarialLoss')))
optim_wrapper = dict(
    constructor='AdversarialOptimWrapperConstructor',
    discriminator=dict(
        optimizer=dict(type='Adam', lr=1e-4, betas=(0.9, 0.99))
    ),
)
