"""A config trained, from the start or from where it stopped."""

import contextlib
import os

from mmengine import Config
from mmengine.hooks import CheckpointHook
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import nn

from ..engine.checkpoints import (
    check_checkpoint,
    check_resumable,
    find_last_checkpoint,
)
from ..engine.config_checks import (
    OF_TRAININGS,
    check_parts,
    check_training,
)
from ..engine.explain import explained
from ..engine.hooks.sequence_state_hook import unwrap
from ..engine.launch import (
    add_guards,
    check_unlabelled,
    is_first_process,
    load_config,
    set_data_root,
    set_up_processes,
    set_work_dir,
    train_in_mixed_precision,
)
from ..engine.published import weights_of
from ..engine.train_loop import name_loop
from ..engine.weights import read_checkpoint
from ..engine.work_dir import current_run, locked
from .check_data import check_before_training


def train(
    config: str,
    work_dir: str | None = None,
    load_from: str | None = None,
    resume: str | bool | None = None,
    seed: int | None = None,
    amp: bool = False,
    data_root: str | None = None,
    cfg_options: dict | None = None,
    launcher: str = 'none',
    allow_partial: bool = False,
) -> None:
    """Train a config into its work dir.

    The arguments are those of ``tools/train.py``; ``load_from`` may also be a
    config's name (:func:`weights_of`), ``resume`` is 'auto' (True) or 'must'.

    Raises:
        RuntimeError: If another training is at work in the work dir.
        ValueError: If there is nothing to resume and there must be, or the
            seed is another one than that of the resumed training.
    """
    cfg = load_config(config, cfg_options)
    set_data_root(cfg, data_root)
    set_work_dir(cfg, work_dir)
    check_parts(cfg, OF_TRAININGS)
    check_unlabelled(cfg)
    check_training(cfg)
    name_loop(cfg)
    # mmseg's own configs have none.
    cfg.randomness = cfg.get('randomness') or dict(seed=None)
    cfg.load_from = load_from or cfg.get('load_from')
    if cfg.load_from:
        cfg.load_from = weights_of(cfg.load_from)
    add_guards(cfg, allow_partial)
    if amp:
        train_in_mixed_precision(cfg)
    first = is_first_process(launcher)
    with locked(cfg.work_dir) if first else contextlib.nullcontext():
        # torchrun --max-restarts starts all processes again.
        restarted = int(os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)) > 0
        if resume or restarted:
            _resume(cfg, resume == 'must', first)
        if seed is not None:
            _set_seed(cfg, seed)
        if cfg.load_from:
            check_checkpoint(cfg.load_from)
        if cfg.load_from and cfg.get('resume'):
            check_resumable(cfg.load_from)
        set_up_processes(cfg, launcher)
        with explained(cfg):
            runner = Runner.from_cfg(cfg)
            if not any(isinstance(h, CheckpointHook) for h in runner.hooks):
                print_log(
                    'default_hooks.checkpoint is None: this training keeps '
                    'no checkpoint',
                    *('current', 30),
                )
            if first:
                check_before_training(cfg)
                _tell_start(cfg, runner.model)
            runner.train()


def _tell_start(cfg: Config, model: nn.Module) -> None:
    """Warn where laterals begin without a framewise net's weights."""
    places = getattr(unwrap(model), 'state_maps', ())
    if not cfg.load_from and any(p.startswith('neck.') for p in places):
        print_log(
            'no --load-from: net and recurrent modules start together. They '
            'gain most behind a framewise net that is trained',
            *('current', 30),
        )


def _resume(cfg: Config, must: bool, first: bool) -> None:
    """Let the config go on from its work dir's last checkpoint; the job's
    first process says what it does."""
    silent = {} if first else dict(tell=lambda text: None)
    run = current_run(cfg.work_dir)
    last = find_last_checkpoint(cfg.work_dir, run, **silent)
    if last is None:
        if must:
            raise ValueError(
                '--resume=must: there is nothing to resume in '
                f"'{cfg.work_dir}'"
            )
        if first:
            print(
                f"nothing to resume in '{cfg.work_dir}': starts from the "
                'beginning'
            )
        return
    cfg.resume, cfg.load_from = True, last
    # The samples are dealt before MMEngine reads it from the checkpoint.
    theirs = read_checkpoint(last, 'cpu')['meta'].get('seed')
    if theirs is not None:
        cfg.randomness.seed = theirs


def _set_seed(cfg: Config, seed: int) -> None:
    if cfg.get('resume') and cfg.randomness.seed not in (None, seed):
        raise ValueError(
            f'--seed {seed}: the training that is resumed has the seed '
            f'{cfg.randomness.seed}; leave --seed out, or take another '
            '--work-dir'
        )
    cfg.randomness.seed = seed
