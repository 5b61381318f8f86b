# Clips of two frames, up to three frames apart, and the flow between them.
augments = dict(
    interval=dict(type='RandomFrameInterval', intervals=(1, 2, 3)),
    ref_flow=dict(type='AddRefFlow', gaps=(1,)),
)
