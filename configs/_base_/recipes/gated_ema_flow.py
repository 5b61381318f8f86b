_base_ = './gated_ema.py'
# That average alone, its state warped by optical flow.
recipe = dict(
    model=dict(neck=None, flow_compensated=True),
    dataloader=dict(dataset=dict(augments=dict(flow=dict(type='AddFlow')))),
)
