"""What two trainings left, compared bit by bit."""

import torch

# Of the clock, of the machine, and of where a training lies.
ITS_OWN = (
    *('time', 'data_time', 'memory', 'experiment_name', 'run', 'cfg'),
    *('last_ckpt', 'best_ckpt', 'keep_ckpt_ids', 'mmengine_version'),
    *('train/time', 'train/data_time', 'val/time', 'val/data_time'),
)


def differences(one, two, place=''):
    """The places at which two checkpoints are not the same."""
    if isinstance(one, dict) and isinstance(two, dict):
        for key in one.keys() | two.keys():
            if key in ITS_OWN:
                continue
            here = f'{place}/{key}'
            if key not in one or key not in two:
                yield f'{here} is in one of them'
            else:
                yield from differences(one[key], two[key], here)
    elif isinstance(one, list | tuple) and len(one) == len(two):
        for i, pair in enumerate(zip(one, two, strict=True)):
            yield from differences(*pair, f'{place}[{i}]')
    elif isinstance(one, torch.Tensor):
        if one.shape != two.shape or not torch.equal(one, two):
            yield place
    elif one != two and not (one != one and two != two):
        yield f'{place}: {one!r:.60} {two!r:.60}'


def same(one, two):
    """Refuse two checkpoint files that differ, or are no plain data."""
    loaded = (torch.load(path, weights_only=True) for path in (one, two))
    found = list(differences(*loaded))
    assert not found, found[:10]
