"""A segmentor with its weights, from a config or a name of mmseg's zoo."""

import difflib
import functools
import re
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import mmseg
from mmengine import Config
from mmengine.fileio import load
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from mmengine.runner.checkpoint import _load_checkpoint
from mmseg.registry import DATASETS, MODELS
from mmseg.utils import dataset_aliases, get_classes, get_palette
from torch import nn

from ..engine.checkpoints import check_checkpoint
from ..engine.explain import explained
from ..engine.hooks import check_weights
from ..engine.launch import load_config, revert_sync_bn
from ..engine.pretrained import fetch_nothing
from ..engine.published import find_checkpoint
from ..io.shipped import config_paths
from ..models.warm_start import adapt_framewise

# Where the wheel of mmseg keeps its configs and what it knows of them.
MIM = Path(mmseg.__file__).parent / '.mim'

# What MMCV says where it is installed and nothing of it is compiled.
COMPILED = re.compile(r'Please install \S*mmcv for (\w+) ops')


@dataclass
class LoadedSegmentor:
    """A segmentor in eval mode, what it says, and where it comes from."""

    model: nn.Module
    classes: tuple[str, ...]
    palette: list
    cfg: Config


def load_segmentor(
    config: str | Config,
    checkpoint: str | None = None,
    allow_partial: bool = False,
) -> LoadedSegmentor:
    """The segmentor of a config with the weights of a checkpoint, on the CPU.

    Args:
        config (str | Config): Path of the config, or its name in the zoo, or
            the config itself, which is changed.
        checkpoint (str | None): Path of the checkpoint, or an address, which
            MMEngine fetches once. Defaults to None, the one that is published
            for the config's name.
        allow_partial (bool): Whether the checkpoint may lack parameters of
            the model. Defaults to False.

    Raises:
        FileNotFoundError: If a file is missing.
        OSError: If the checkpoint cannot be fetched.
        ValueError: If the checkpoint is cut short, none is given and none is
            published, or the model segments nothing.
        RuntimeError: If the checkpoint does not cover the model, or a library
            that it is built of is not installed.
    """
    if isinstance(config, Config):
        cfg = config
        if checkpoint is None:
            raise ValueError('a config has no name: name its checkpoint')
    else:
        cfg = load_config(config)
        checkpoint = find_checkpoint(checkpoint, config)
    check_checkpoint(checkpoint)
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    revert_sync_bn(cfg.model)
    # Weights come from the checkpoint: fetch no others.
    fetch_nothing(cfg.model)
    with explained(cfg):
        model = build_segmentor(cfg.model)
    try:
        loaded = _load_checkpoint(checkpoint, map_location='cpu')
    except OSError as error:
        if '://' not in str(checkpoint):
            raise
        why = error.__cause__ or error
        raise OSError(
            f"cannot fetch the weights '{checkpoint}': {why}. Download them "
            'on a machine with a network and give CONFIG and CHECKPOINT, in '
            'Python steady((config, checkpoint))'
        ) from None
    named = isinstance(loaded, dict) and loaded.get('state_dict', loaded)
    if not isinstance(named, dict):
        raise ValueError(
            f"'{checkpoint}' holds a {type(loaded).__name__}, no weights by "
            'name (state_dict): it is no checkpoint of a model'
        )
    weights = {
        key.removeprefix('module.'): value for key, value in named.items()
    }
    weights = adapt_framewise(model, weights)
    text = check_weights(model, weights, checkpoint, allow_partial)
    own = model.state_dict()
    fitting = {
        key: value
        for key, value in weights.items()
        if key in own and value.shape == own[key].shape
    }
    lacking, _ = model.load_state_dict(fitting, strict=False)
    if lacking:
        print_log(text, 'current')
    classes, palette = _names(cfg, loaded, model)
    return LoadedSegmentor(model, tuple(classes), list(palette), cfg)


def build_segmentor(cfg: dict) -> nn.Module:
    """The segmentor of a model's config, in eval mode.

    Raises:
        RuntimeError: If it is built of a library that is not installed.
        ValueError: If it segments nothing.
    """
    if cfg.get('type') == 'DepthEstimator':
        raise ValueError(
            'this model (DepthEstimator) estimates depth and segments nothing'
        )
    try:
        return MODELS.build(cfg).eval()
    except Exception as error:  # of whatever asks for it first
        operator = COMPILED.search(str(error))
        if operator:
            raise RuntimeError(
                f'this model needs {operator[1]}, which MMCV has only where '
                'it was compiled, and here it was not: build onedl-mmcv from '
                'its source, or take another model'
            ) from error
        if 'mmdet.' in str(cfg) and find_spec('mmdet') is None:
            raise RuntimeError(
                'this model is built of parts of MMDetection, which is not '
                'installed: pip install onedl-mmdetection, or take a model of '
                'the same family from hf://'
            ) from error
        raise


def find_in_zoo(name: str) -> tuple[Config, str]:
    """The config of a model of mmseg's zoo, and the address of its weights.

    Args:
        name (str): As mmseg's model index has it, such as
            'pidnet-s_2xb6-120k_1024x1024-cityscapes'.

    Raises:
        ValueError: If there is no such model, or it has no weights.
    """
    entries = zoo()
    entry = entries.get(name.lower())
    if entry is None:
        known = [*config_paths(), *entries]
        close = [key for key in known if name.lower() in key][:3]
        close = close or difflib.get_close_matches(name.lower(), known, 3, 0.4)
        hint = f'; close to it are {", ".join(close)}' if close else ''
        raise ValueError(
            f"neither mmseg's zoo nor ours has a model '{name}', and it is "
            f'no .onnx file{hint}'
        )
    weights = entry.get('Weights')
    weights = weights[0] if isinstance(weights, list) else weights
    path = MIM / entry['Config']
    if not weights or not path.is_file():
        lacks = 'config' if weights else 'weights'
        raise ValueError(f"mmseg publishes no {lacks} of '{name}'")
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        return Config.fromfile(path), weights


@functools.cache
def zoo() -> dict[str, dict]:
    """Name in small letters -> entry, of mmseg's model index."""
    entries = {}
    for part in load(MIM / 'model-index.yml')['Import']:
        if (MIM / part).is_file():
            for entry in load(MIM / part).get('Models') or []:
                entries[entry['Name'].lower()] = entry
    return entries


def _names(cfg: Config, checkpoint: dict, model: nn.Module) -> tuple:
    """Classes and palette: the checkpoint's, else the data set's, else those
    of the one data set of mmseg with as many classes."""
    meta = checkpoint.get('meta') or {}
    found = meta.get('dataset_meta') or {}
    if found.get('classes') and found.get('palette'):
        return found['classes'], found['palette']
    if meta.get('CLASSES') and meta.get('PALETTE'):  # mmseg 0.x
        return meta['CLASSES'], meta['PALETTE']
    dataset = (cfg.get('test_dataloader') or {}).get('dataset', {})
    known = DATASETS.get(dataset['type']) if 'type' in dataset else None
    if known is not None and known.METAINFO.get('classes'):
        return known.METAINFO['classes'], known.METAINFO['palette']
    for name in dataset_aliases:
        if len(get_classes(name)) == model.num_classes:
            return get_classes(name), get_palette(name)
    raise ValueError(
        f'neither the checkpoint nor the config names the '
        f'{model.num_classes} classes: give classes=[...]'
    )
