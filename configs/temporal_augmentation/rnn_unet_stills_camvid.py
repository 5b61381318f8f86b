_base_ = '../rnn_unet_camvid.py'
# Clips of stills in motion: CamVid's labels are a second apart, video is not.
train_pipeline = _base_.train_pipeline
train_pipeline[1] = dict(type='StillToClip', num_frames=5)
train_dataloader = dict(dataset=dict(num_frames=1, pipeline=train_pipeline))
