_base_ = './rnn_unet_gated_ema_stills_camvid.py'
# Tests a checkpoint of that config, the past seen along the motion.
model = dict(motion=dict(type='Motion'))
