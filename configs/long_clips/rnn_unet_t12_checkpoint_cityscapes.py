_base_ = './rnn_unet_t12_cityscapes.py'
# The encoder's activations are computed again, three frames at a time.
model = dict(train_cfg=dict(checkpoint_frames=3))
default_hooks = dict(norm_eval=dict(type='NormEvalHook'))
