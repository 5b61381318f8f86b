_base_ = [
    '_base_/models/rnn_unet_r18_half.py',
    '_base_/datasets/street_scenes_t5.py',
    '_base_/schedules/schedule_street_joint.py',
    '_base_/recipes/gated_ema.py',
]
model = _base_.recipe.model
train_dataloader = dict(dataset=dict(num_frames=8))
