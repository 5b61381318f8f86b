loss_decode = [dict(type='LabelSmoothingLoss', smoothing=0.1)]
