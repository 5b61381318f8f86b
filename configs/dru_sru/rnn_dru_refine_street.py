_base_ = [
    '../_base_/models/dru.py',
    '../_base_/datasets/street_scenes.py',
    '../_base_/schedules/schedule_street.py',
]
# Three steps on a still, as in the paper.
model = dict(num_steps=3)
