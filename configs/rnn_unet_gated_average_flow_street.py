_base_ = './rnn_unet_gated_average_only_street.py'
# Tests a checkpoint of that config, the past seen along the motion. (Trained
# so, where the motion is easy, it comes to keep too much.)
model = dict(motion=dict(type='Motion'))
