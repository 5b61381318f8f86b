_base_ = './rnn_unet_gated_average_stills_camvid.py'
# The average follows the motion: its past is seen along optical flow.
model = dict(motion=dict(type='Motion'))
