# Trained on five frames, from the state that 0 to 7 frames before them leave.
recipe = dict(
    model=dict(train_cfg=dict(burn_in=7)),
    train_dataloader=dict(dataset=dict(num_frames=12)),
)
