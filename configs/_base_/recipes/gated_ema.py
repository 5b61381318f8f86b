# An average of the logits that learns how much of the past to keep.
recipe = dict(
    model=dict(
        head_rnns=dict(
            conv_seg=dict(
                cell=dict(type='GatedEMACell'), connection='standard'
            )
        )
    ),
)
