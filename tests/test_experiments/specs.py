"""Specs that the tests write, and a launcher that trains nothing."""

import json
from pathlib import Path

import torch
import yaml

from mmseg_video.experiments import make_plan, read_spec
from tests.runs import CONFIGS, options

FRAMEWISE = str(CONFIGS / 'unet_street.py')
RECURRENT = str(CONFIGS / 'rnn_unet/rnn_unet_joint_street.py')
TINY_NECK = {'model.neck.in_channels': [8, 16, 32, 64]}


def entries():
    """A first training, and two that go on from it."""
    return {
        'first': {'config': FRAMEWISE, 'protocols': {}},
        'framewise': {'config': FRAMEWISE, 'load_from': 'first'},
        'gru': {
            'config': RECURRENT,
            'load_from': 'first',
            'overrides': {**TINY_NECK},
        },
    }


def content(root='none', **changes):
    """A spec of tiny models."""
    return {
        'seeds': [0, 1],
        'size': [64, 64],
        'protocols': {'t3': ['mIoU'], 't5': ['mIoU']},
        'baseline': 'framewise',
        'overrides': options(root),
        'entries': entries(),
        **changes,
    }


def write(folder, values, name='spec'):
    path = folder / f'{name}.yml'
    path.write_text(yaml.safe_dump(values, sort_keys=False))
    return path


def plan(folder, **changes):
    spec = read_spec(write(folder, content(**changes)))
    return make_plan(spec, folder / 'out')


# What a training can go on from.
CHECKPOINT = dict(meta={}, state_dict={}, message_hub={}, optimizer={})


class Fake:
    """Leaves what a tool would leave; fails where it is told to.

    Args:
        mious (dict): Entry -> mIoU of its tests. Defaults to 30 and the
            seed.
        broken (Sequence[str]): Titles that fail.
    """

    def __init__(self, mious=None, broken=()):
        self.mious, self.broken, self.done = mious or {}, broken, []

    def __call__(self, stage, slot):
        if stage.title in self.broken:
            raise RuntimeError('it broke')
        self.done.append(stage.title)
        assert stage.config.is_file()
        if stage.is_training:
            torch.save(CHECKPOINT, stage.work_dir / 'iter_1.pth')
            torch.save(CHECKPOINT, stage.work_dir / 'iter_2.pth')
            return
        assert Path(stage.run.checkpoint).is_file()
        mean = self.mious.get(stage.run.entry.name, 30.0)
        metrics = dict(mIoU=mean + stage.run.seed)
        path = stage.work_dir / 'test_t0.json'
        path.write_text(json.dumps(dict(metrics=metrics)))
