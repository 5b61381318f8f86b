_base_ = './framewise_ema.py'
# The average is warped by optical flow.
recipe = dict(
    model=dict(flow_compensated=True),
    dataloader=dict(dataset=dict(augments=dict(flow=dict(type='AddFlow')))),
)
