"""A tiny training on tiny street scenes, for tests of the whole way."""

from pathlib import Path

from mmengine import Config

from mmseg_video.datasets.street_scenes import write_street_scenes
from mmseg_video.engine.launch import set_data_root, set_up_processes

SPLITS = ('train', 'val', 'test')
CONFIGS = Path(__file__).parents[1] / 'configs'


def leaf(name):
    """The path of the config ``name``, in whichever folder of its own."""
    found = [p for p in CONFIGS.rglob(f'{name}.py') if '_base_' not in p.parts]
    assert len(found) == 1, f'{name}: {found}'
    return found[0]


def scenes(root):
    """Two snippets of each split, of 12 frames of 64x128."""
    write_street_scenes(root, 2, 2, 2, size=(64, 128), frames=(8, 19))
    return root


def options(root):
    """What makes a street config tiny, as --cfg-options take it."""
    changes = {
        'train_cfg.max_iters': 2,
        'train_cfg.val_interval': 2,
        'default_hooks.checkpoint.interval': 1,
        'default_hooks.logger.interval': 1,
        'model.backbone.base_channels': 8,
        'model.decode_head.in_channels': [8, 16, 32, 64],
        'model.decode_head.channels': 8,
        'train_dataloader.batch_size': 2,
    }
    for split in SPLITS:
        changes[f'{split}_dataloader.dataset.data_root'] = str(root)
        changes[f'{split}_dataloader.num_workers'] = 0
        changes[f'{split}_dataloader.persistent_workers'] = False
    return changes


def config(name, root, work_dir, **changes):
    """The street config ``name``, made tiny."""
    cfg = Config.fromfile(leaf(f'{name}_street'))
    # Not as an option: in a wrapped data set it is a level deeper.
    changes = {**options(root), **changes}
    data_root = {f'{s}_dataloader.dataset.data_root' for s in SPLITS}
    cfg.merge_from_dict(
        {k: v for k, v in changes.items() if k not in data_root}
    )
    set_data_root(cfg, str(root))
    if cfg.model.get('neck'):
        cfg.model.neck.in_channels = [8, 16, 32, 64]
    cfg.work_dir = str(work_dir)
    set_up_processes(cfg, 'none')
    return cfg


def model_config(name):
    """The model of the street config ``name``, made tiny."""
    return config(name, 'none', 'none').model
