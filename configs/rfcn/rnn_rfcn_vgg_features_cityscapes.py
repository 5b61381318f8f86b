_base_ = './rnn_rfcn_vgg_cityscapes.py'
# On 128 feature maps right before the classifier, instead of the heat map.
features = dict(connection='standard', hidden_ratio=0.25)
model = dict(head_rnns=None, final_rnn=features)
