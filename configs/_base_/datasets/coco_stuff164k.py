# COCO-Stuff 164k, 171 classes, through mmseg's data set: its layout and its
# labels (*_labelTrainIds.png).
_base_ = './coco_semantic.py'
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='COCOStuffDataset',
        data_root='data/coco_stuff164k/',
        data_prefix=dict(
            img_path='images/train2017', seg_map_path='annotations/train2017'
        ),
        pipeline=_base_.train_pipeline,
    )
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='COCOStuffDataset',
        data_root='data/coco_stuff164k/',
        data_prefix=dict(
            img_path='images/val2017', seg_map_path='annotations/val2017'
        ),
        pipeline=_base_.test_pipeline,
    )
)
test_dataloader = val_dataloader
