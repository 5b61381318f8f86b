# An exponential moving average of the logits; nothing is trained.
recipe = dict(model=dict(filter=dict(type='EMAFilter', weight=0.5)))
