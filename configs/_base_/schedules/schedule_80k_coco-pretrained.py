# schedule_80k from the weights of unet_coco.py. The classes that both data
# sets have keep their rows of the classifier.
_base_ = './schedule_80k.py'
load_from = 'work_dirs/unet_coco/iter_80000.pth'
custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type='SharedClassesHook',
        aliases={'rider': 'person', 'traffic sign': 'stop sign'},
    ),
]
