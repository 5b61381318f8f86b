default_scope = 'mmseg'
custom_imports = dict(imports=['mmseg_video.engine.registration'])
env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    # Seconds that a process waits for the others; then it ends.
    dist_cfg=dict(backend='nccl', timeout=600),
)
vis_backends = [
    dict(type='LocalVisBackend'),
    dict(type='TensorboardVisBackend'),
]
visualizer = dict(type='SegLocalVisualizer', vis_backends=vis_backends)
log_processor = dict(by_epoch=False)
log_level = 'INFO'
load_from = None
resume = False
randomness = dict(seed=0)

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='CheckpointHook',
        by_epoch=False,
        max_keep_ckpts=2,
        backend_args=dict(backend='atomic_local'),
    ),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='SegVisualizationHook'),
    speed=dict(type='SpeedHook', channels_last=False, compile=False),
)
custom_hooks = [
    dict(type='CheckpointReportHook'),
    dict(type='SequenceStateHook'),
    dict(type='SequenceVisualizationHook'),
    dict(type='FiniteLossHook'),
    dict(type='FiniteLogitsHook'),
    dict(type='PreemptionHook'),
]
tta_model = dict(type='SegTTAModel')
