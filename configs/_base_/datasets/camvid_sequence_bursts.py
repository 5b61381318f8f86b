# Every third key frame is degraded: else a net has no reason to look back a
# whole second. The framewise net gets the same frames.
_base_ = './camvid_sequence.py'
burst = dict(type='RandomBurst', prob=0.3, kinds=['dark', 'noisy', 'blurred'])
train_dataloader = dict(dataset=dict(augments=dict(burst=burst)))
