loss_decode = [dict(type='SigmoidFocalLoss')]
