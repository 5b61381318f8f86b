_base_ = [
    '../_base_/models/dru.py',
    '../_base_/datasets/cityscapes_sequence.py',
    '../_base_/schedules/schedule_80k.py',
]
# Three steps on a still, as in the paper.
model = dict(num_steps=3)
