_base_ = '../rnn_unet_camvid.py'
# Tests a recurrent checkpoint of that config: its logits, averaged too.
model = dict(smoother=dict(type='ExponentialSmoother', weight=0.5))
