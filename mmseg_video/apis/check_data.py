"""The data of a config, looked through before anything is trained."""

import os
from pathlib import Path

from mmengine import Config
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS

from ..datasets import UnlabelledFrames
from ..datasets.check import Checked, check_dataset
from ..engine.config_checks import check_training
from ..engine.explain import explained
from ..engine.launch import load_config, set_data_root, set_work_dir
from ..io.atomic import write_text

SPLITS = ('train', 'val', 'test')
REPORT, CACHE = 'check_data.md', 'check_data.jsonl'
# Samples of a split that are read before a training.
FEW = 8


def check_data(
    config: str,
    everything: bool = False,
    samples: int = 200,
    workers: int | None = None,
    work_dir: str | None = None,
    data_root: str | None = None,
    cfg_options: dict | None = None,
) -> str:
    """Look through the data of a config; the report, which the work dir gets.

    Args:
        config (str): Path of the config, or its name in the zoo.
        everything (bool): Whether all frames and labels are read. Defaults to
            False, those of ``samples``. What was read is kept in the work
            dir, and not read again while the file stays as it is.
        samples (int): How many of a split. Defaults to 200.
        workers (int | None): Processes that read. Defaults to None, one for
            each core.
        work_dir, data_root, cfg_options: As in training.

    Raises:
        ValueError: With the report, if something is wrong.
    """
    cfg = load_config(config, cfg_options)
    set_data_root(cfg, data_root)
    set_work_dir(cfg, work_dir)
    check_training(cfg)
    found = {}
    for split in _splits(cfg):
        found[split] = _check(
            cfg,
            split,
            num_decoded=None if everything else samples,
            workers=os.cpu_count() if workers is None else workers,
            cache=Path(cfg.work_dir, CACHE) if everything else None,
            title=split,
        )
    report = _report(cfg, found)
    path = Path(cfg.work_dir, REPORT)
    write_text(path, report)
    errors = sum(len(checked.errors) for checked in found.values())
    if errors:
        raise ValueError(
            f'{errors} things are wrong with the data of {config}; the '
            f'report is {path}\n\n{report}'
        )
    return f'{report}\nwritten to {path}'


def check_before_training(cfg: Config) -> None:
    """The cheap version: all files are there, a few are read.

    Raises:
        ValueError: With what is wrong, and the files.
    """
    for split in ('train', 'val'):
        if split not in _splits(cfg):
            continue
        checked = _check(cfg, split, num_decoded=FEW)
        if checked.errors:
            told = '; '.join(
                ': '.join([f.text, *f.examples[:1]]) for f in checked.errors
            )
            raise ValueError(
                f'{split}_dataloader.dataset: {told}. For the rest: '
                f'mmseg-video check-data {cfg.filename}'
            )
        for finding in checked.findings:
            print_log(f'{split} data: {finding.text}', 'current')


def _splits(cfg: Config) -> list[str]:
    return [split for split in SPLITS if cfg.get(f'{split}_dataloader')]


def _check(cfg: Config, split: str, **how) -> Checked:
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    with explained(cfg):
        dataset = DATASETS.build(cfg[f'{split}_dataloader'].dataset)
    if isinstance(dataset, UnlabelledFrames):
        dataset = dataset.dataset
    return check_dataset(dataset, **how)


def _report(cfg: Config, found: dict[str, Checked]) -> str:
    lines = [f'# Data of {cfg.filename}', '']
    for split, checked in found.items():
        lines += [
            f'## {split}',
            '',
            f'{checked.samples} samples, {checked.files} files, '
            f'{checked.decoded} of them read',
            '',
            *(
                f'- {finding}'
                for finding in checked.findings or ['no finding']
            ),
            '',
        ]
    names = {split: checked.pixels for split, checked in found.items()}
    if any(pixels.any() for pixels in names.values()):
        lines += [
            'Share of the labelled pixels that were read, %:',
            '',
            f'| class | {" | ".join(names)} |',
            '|---|' + '---|' * len(names),
        ]
        for i, name in enumerate(_classes(cfg, found)):
            shares = [
                f'{100 * p[i] / max(1, p.sum()):.2f}' if i < len(p) else ''
                for p in names.values()
            ]
            lines.append(f'| {name} | {" | ".join(shares)} |')
    return '\n'.join(lines) + '\n'


def _classes(cfg: Config, found: dict[str, Checked]) -> list[str]:
    split = max(found, key=lambda name: len(found[name].pixels))
    return found[split].classes
