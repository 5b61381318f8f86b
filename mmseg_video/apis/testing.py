"""A checkpoint tested by a protocol, and the report of it."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from mmengine import Config
from mmengine.dist import is_main_process

from ..datasets import sequence_config
from ..engine.checkpoints import check_checkpoint
from ..engine.config_checks import (
    OF_TESTS,
    check_flow_is_read,
    check_parts,
)
from ..engine.explain import explained
from ..engine.launch import (
    add_guards,
    load_config,
    set_data_root,
    set_up_processes,
    set_work_dir,
)
from ..engine.pretrained import fetch_nothing
from ..engine.published import find_checkpoint
from ..engine.test_runner import LoggedTestRunner
from ..evaluation.figures import TEMPORAL_METRICS
from ..evaluation.protocol import Protocol, read_in_order
from ..io.atomic import write_text
from ..io.windows import check_display


def evaluate(
    config: str,
    checkpoint: str | None,
    protocol: Protocol,
    work_dir: str | None = None,
    data_root: str | None = None,
    cfg_options: dict | None = None,
    temporal: bool = False,
    sequences: bool = False,
    out: str | None = None,
    show: bool = False,
    show_dir: str | None = None,
    wait_time: float = 2,
    format_only: bool = False,
    launcher: str = 'none',
    allow_partial: bool = False,
) -> None:
    """Test a checkpoint; writes test_PROTOCOL.json into the work dir.

    The arguments are those of ``tools/test.py``; without a checkpoint it is
    the published one.

    Raises:
        ValueError: If what is asked for does not fit the config, or no frame
            has a label.
    """
    if not wait_time >= 0:
        raise ValueError(f'--wait-time is {wait_time}, expected seconds >= 0')
    cfg = load_config(config, cfg_options)
    check_parts(cfg, OF_TESTS)
    check_flow_is_read(cfg)
    checkpoint = find_checkpoint(checkpoint, config)
    check_checkpoint(checkpoint)
    set_data_root(cfg, data_root)
    set_work_dir(cfg, work_dir)
    cfg.load_from = checkpoint
    add_guards(cfg, allow_partial)
    fetch_nothing(cfg.model)
    if format_only:
        _only_predict(cfg, out, temporal)
    if show:
        check_display()
    if show or show_dir:
        _draw(cfg, show, show_dir, wait_time)
    if out:  # before it may become a list
        _evaluator(cfg, '--out').update(output_dir=out, keep_results=True)
    if temporal:
        _add_temporal_metrics(cfg, cfg.work_dir if sequences else None)
    set_up_processes(cfg, launcher)
    protocol = protocol.apply(cfg)
    with explained(cfg):
        metrics = LoggedTestRunner.from_cfg(cfg).test()
    if is_main_process():
        report = dict(
            metrics=_finite(metrics),
            config=config,
            checkpoint=checkpoint,
            **asdict(protocol),
        )
        path = Path(cfg.work_dir, f'test_{protocol.name}.json')
        write_text(path, json.dumps(report, indent=1))
        print(f'written to {path}')


def _only_predict(cfg: Config, out: str | None, temporal: bool) -> None:
    """Write label maps of the split's images, whatever labels there are; of
    Cityscapes with the ids that its server reads.

    Raises:
        ValueError: If there is no folder to write, or figures are asked for.
    """
    if not out or temporal:
        raise ValueError(
            '--format-only writes label maps and measures nothing: give --out '
            'DIR, and leave out --temporal'
        )
    dataset = sequence_config(cfg.test_dataloader.dataset)
    dataset.key_frames = 'images'
    _evaluator(cfg, '--format-only').format_only = True
    cityscapes = dataset.type == 'CityscapesSequenceDataset'
    if cityscapes and not dataset.get('foreground'):
        cfg.test_evaluator = dict(type='CityscapesMetric', format_only=True)


def _evaluator(cfg: Config, option: str) -> dict:
    """The one that writes label maps.

    Raises:
        ValueError: If there are several.
    """
    if not isinstance(cfg.test_evaluator, dict):
        raise ValueError(
            f'{option}: the test_evaluator of the config is a list, and only '
            'one writes label maps: leave one in it, as a dict'
        )
    return cfg.test_evaluator


def _add_temporal_metrics(cfg: Config, save_dir: str | None) -> None:
    """Beside the config's own."""
    own = cfg.test_evaluator
    read_in_order(cfg)
    cfg.test_evaluator = [
        *([own] if isinstance(own, dict) else own),
        *(
            dict(type=name, save_dir=save_dir, on_missing='skip')
            for name in TEMPORAL_METRICS
        ),
    ]


def _draw(
    cfg: Config, show: bool, show_dir: str | None, wait_time: float
) -> None:
    cfg.default_hooks = cfg.get('default_hooks') or {}
    hook = cfg.default_hooks.setdefault(
        'visualization', dict(type='SegVisualizationHook')
    )
    hook.update(draw=True, interval=1, show=show, wait_time=wait_time)
    if show_dir:
        cfg.visualizer = cfg.get('visualizer') or dict(
            type='SegLocalVisualizer'
        )
        cfg.visualizer.save_dir = show_dir


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    """The figures; those of labels that are not there are NaN, and no figure.

    Raises:
        ValueError: If none is left.
    """
    figures = {k: float(v) for k, v in metrics.items() if math.isfinite(v)}
    if len(figures) < len(metrics):
        lacking = ', '.join(k for k in metrics if k not in figures)
        sentence = f'no frame of the test set has a label: no {lacking}'
        if not figures:
            raise ValueError(sentence)
        print(sentence)
    return figures
