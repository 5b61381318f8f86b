_base_ = '../temporal_augmentation/rnn_unet_stills_camvid.py'
# An average of the logits alone, on clips of stills in motion.
average = dict(cell=dict(type='GatedEMACell'), connection='standard')
model = dict(neck=None, head_rnns=dict(conv_seg=average))
