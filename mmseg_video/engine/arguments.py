"""Arguments that the command line tools share."""

import argparse
from collections.abc import Callable

from mmengine import Config, DictAction

from ..datasets import sequence_config


class CfgOptions(DictAction):
    """MMEngine's ``--cfg-options KEY=VALUE ...``, which says what is wrong."""

    def __call__(self, parser, namespace, values, option_string=None):
        for value in values:
            if '=' not in value:
                raise argparse.ArgumentError(
                    self, f"'{value}' is not of the form KEY=VALUE"
                )
        try:
            super().__call__(parser, namespace, values, option_string)
        except AssertionError as error:
            raise argparse.ArgumentError(self, str(error)) from None


def at_least(minimum: int) -> Callable[[str], int]:
    """An argparse type: an integer that is not below ``minimum``."""

    def integer(text: str) -> int:
        value = int(text)
        if value < minimum:
            raise argparse.ArgumentTypeError(
                f'must be >= {minimum}, got {value}'
            )
        return value

    return integer


def set_data_root(cfg: Config, root: str | None) -> None:
    """Read the data of all splits from ``root``, unless it is None."""
    for split in ('train', 'val', 'test'):
        loader = cfg.get(f'{split}_dataloader')
        if root is not None and loader is not None:
            sequence_config(loader.dataset).data_root = root
