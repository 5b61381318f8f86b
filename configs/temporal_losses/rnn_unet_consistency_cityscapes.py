_base_ = '../rnn_unet_cityscapes.py'
# Logits that agree along the flow, of the key frame and one before it.
consistency = dict(type='TemporalConsistencyLoss', loss_weight=0.1)
model = dict(clip_losses=dict(consistency=consistency))
ref_flow = dict(type='AddRefFlow')
train_dataloader = dict(dataset=dict(augments=dict(ref_flow=ref_flow)))
