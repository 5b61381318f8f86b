_base_ = './rnn_unet_joint_cityscapes.py'
# Every frame in order, states carried: for tools/test.py.
model = dict(test_cfg=dict(streaming=True))
test_dataloader = dict(dataset=dict(mode='stream', num_frames=1))
