"""A config trained, from the start or from where it stopped."""

from mmengine.runner import Runner

from ..engine.arguments import set_data_root
from ..engine.checkpoints import check_checkpoint, find_last_checkpoint
from ..engine.launch import (
    check_unlabelled,
    load_config,
    set_up_processes,
    set_work_dir,
    train_in_mixed_precision,
)


def train(
    config: str,
    work_dir: str | None = None,
    load_from: str | None = None,
    resume: bool = False,
    seed: int | None = None,
    amp: bool = False,
    data_root: str | None = None,
    cfg_options: dict | None = None,
    launcher: str = 'none',
) -> None:
    """Train a config into its work dir.

    The arguments are those of ``tools/train.py``.
    """
    cfg = load_config(config, cfg_options)
    set_data_root(cfg, data_root)
    set_work_dir(cfg, work_dir)
    check_unlabelled(cfg)
    cfg.load_from = load_from or cfg.get('load_from')
    if seed is not None:
        cfg.randomness.seed = seed
    if amp:
        train_in_mixed_precision(cfg)
    last = find_last_checkpoint(cfg.work_dir) if resume else None
    if resume and not last:
        print(
            f"nothing to resume in '{cfg.work_dir}': starts from the beginning"
        )
    if last:
        cfg.resume, cfg.load_from = True, last
    elif cfg.load_from:
        check_checkpoint(cfg.load_from)
    set_up_processes(cfg, launcher)
    Runner.from_cfg(cfg).train()
