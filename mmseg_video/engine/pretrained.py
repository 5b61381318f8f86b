"""Where pretrained weights come from, and sentences where they do not."""

import os

from mmengine import Config
from mmengine.runner.checkpoint import CheckpointLoader

from ..io.nearest import close_to
from . import weights as _weights  # noqa: F401, registers the readers
from .checkpoints import check_checkpoint

SCHEME = 'mmpretrain://'


@CheckpointLoader.register_scheme(prefixes=SCHEME, force=True)
def load_from_mmpretrain(filename: str, map_location=None) -> dict:
    """The checkpoint of ``mmpretrain://NAME``, a model of mmpretrain's zoo.

    With it, every place of a config that takes a checkpoint takes mmpretrain's
    names: ``init_cfg=dict(type='Pretrained', prefix='backbone.',
    checkpoint='mmpretrain://resnet18_8xb32_in1k')``.

    Raises:
        ValueError: If there is no such model, or it has no weights.
    """
    # Reading the zoo takes a second: only where a name is asked for.
    from mmpretrain.apis.model import ModelHub, list_models

    name = filename.removeprefix(SCHEME)
    try:
        weights = ModelHub.get(name).weights
    except ValueError:
        raise ValueError(
            f"mmpretrain has no model '{name}'{close_to(name, list_models())}"
            '. mmpretrain.list_models() names all'
        ) from None
    if not weights:
        raise ValueError(f"mmpretrain publishes no weights of '{name}'")
    return CheckpointLoader.load_checkpoint(weights, map_location)


def fetch(source: str, prefix: str | None = None) -> dict:
    """The ``state_dict`` of pretrained weights, below the prefix.

    Args:
        source (str): A path, an address, or a name that MMEngine resolves
            (``torchvision://``, ``open-mmlab://``, ``mmpretrain://``). What
            is downloaded is kept, so a second call does not fetch again.
        prefix (str | None): Of the wanted module in the checkpoint, such as
            'backbone.'. Defaults to None, all of it.

    Raises:
        OSError: If it cannot be downloaded, or there is no such file.
        ValueError: If the file is cut short or no checkpoint, or nothing in
            it begins with the prefix.
    """
    check_checkpoint(os.path.expanduser(source))
    try:
        loaded = CheckpointLoader.load_checkpoint(source, 'cpu')
    except OSError as error:
        if '://' not in source:
            raise
        why = error.__cause__ or error
        raise OSError(
            f"cannot fetch the weights '{source}': {why}. Download them on "
            'a machine with a network and name the file instead'
        ) from None
    weights = loaded.get('state_dict', loaded)
    weights = {key.removeprefix('module.'): w for key, w in weights.items()}
    if prefix is None:
        return weights
    prefix = prefix.removesuffix('.') + '.'
    below = {
        key.removeprefix(prefix): weight
        for key, weight in weights.items()
        if key.startswith(prefix)
    }
    if not below:
        top = sorted({key.split('.')[0] for key in weights})
        raise ValueError(
            f"nothing in the checkpoint '{source}' begins with "
            f"prefix='{prefix}'; it holds {', '.join(top)}"
        )
    return below


def fetch_nothing(cfg: Config | dict | list | tuple) -> None:
    """Let a model config name no pretrained weights, in place.

    For tests and inference: all weights come from the checkpoint, and a
    machine without a network must do.
    """
    if isinstance(cfg, dict):
        if _is_pretrained(cfg.get('init_cfg')):
            cfg['init_cfg'] = None
        if cfg.get('pretrained'):
            cfg['pretrained'] = None
        # Its default is True, and it fetches when it is built.
        if str(cfg.get('type')).endswith('TIMMBackbone'):
            cfg['pretrained'] = False
    values = cfg.values() if isinstance(cfg, dict) else cfg
    for value in values:
        if isinstance(value, dict | list | tuple):
            fetch_nothing(value)


def _is_pretrained(init_cfg) -> bool:
    return isinstance(init_cfg, dict) and init_cfg.get('type') == 'Pretrained'
