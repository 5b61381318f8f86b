# Its states, or the average of its logits, are warped by optical flow.
recipe = dict(
    model=dict(flow_compensated=True),
    dataloader=dict(dataset=dict(augments=dict(flow=dict(type='AddFlow')))),
)
