_base_ = '../rnn_unet_street.py'
# On top, an average of the logits that learns how much of the past to keep.
average = dict(cell=dict(type='GatedEMACell'), connection='standard')
model = dict(head_rnns=dict(conv_seg=average))
