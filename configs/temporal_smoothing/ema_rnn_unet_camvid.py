_base_ = '../rnn_unet_camvid.py'
# Tests a recurrent checkpoint of that config: its logits, averaged too.
model = dict(filter=dict(type='EMAFilter', weight=0.5))
