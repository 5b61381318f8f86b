_base_ = './rnn_unet_joint_cityscapes.py'
# Offline without a key or a network: wandb sync later.
vis_backends = [
    dict(type='LocalVisBackend'),
    dict(type='TensorboardVisBackend'),
    dict(type='WandbVisBackend', init_kwargs=dict(project='mmseg_video')),
]
visualizer = dict(vis_backends=vis_backends)
