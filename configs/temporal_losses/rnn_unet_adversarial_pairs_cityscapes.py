_base_ = './rnn_unet_adversarial_cityscapes.py'
# It sees pairs of consecutive maps, along the flow.
model = dict(clip_losses=dict(adversarial=dict(num_decoded=2)))
ref_flow = dict(type='AddRefFlow', gaps=(1,))
train_dataloader = dict(dataset=dict(augments=dict(ref_flow=ref_flow)))
