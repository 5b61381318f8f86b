# Logits of the key frame and of one before it that agree along the flow.
recipe = dict(
    model=dict(
        clip_losses=dict(
            consistency=dict(type='TemporalConsistencyLoss', loss_weight=0.1)
        )
    ),
    train_dataloader=dict(
        dataset=dict(augments=dict(ref_flow=dict(type='AddRefFlow')))
    ),
)
