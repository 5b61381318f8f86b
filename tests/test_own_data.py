"""The config of docs/en/user_guides/own_data.md, on a video made here."""

import json

import cv2
import numpy as np
from mmengine import Config
from mmengine.runner import Runner

from mmseg_video.engine.launch import set_data_root, set_up_processes
from mmseg_video.io.writers import LabelWriter
from tests import docs
from tests.runs import CONFIGS, SPLITS
from tests.sequences import write_image

PAGE = 'docs/en/user_guides/own_data.md'


def own_config(tmp_path):
    """The page's config, in a folder of one's own."""
    (code,) = docs.blocks(docs.pages()[PAGE], 'python')
    assert len(code.strip().splitlines()) <= 8
    path = tmp_path / 'mine.py'
    path.write_text(code.replace("'_base_/", f"'{CONFIGS}/_base_/"))
    return Config.fromfile(path)


def write_own_data(root):
    """The page's folders, with the page's classes."""
    (text,) = docs.blocks(docs.pages()[PAGE], 'json')
    root.mkdir()
    (root / 'classes.json').write_text(text)
    rng = np.random.default_rng(0)
    for split in ('train', 'val'):
        for number in range(4):
            frame = rng.integers(0, 256, (64, 128, 3), np.uint8)
            path = root / split / 'walk' / f'{number:06d}.jpg'
            write_image(path, frame)
            label = rng.integers(0, 3, (64, 128), np.uint8)
            cv2.imwrite(str(path.with_suffix('.png')), label)
    return root


def test_a_user_trains_on_their_own_video(tmp_path):
    cfg = own_config(tmp_path)
    root = write_own_data(tmp_path / 'mine')
    set_data_root(cfg, str(root))
    cfg.work_dir = str(tmp_path / 'run')
    crop = 'train_dataloader.dataset.pipeline.3.transforms.1.crop_size'
    scale = 'dataset.pipeline.{}.transforms.0.scale'
    cfg.merge_from_dict(
        {
            crop: (64, 64),
            f'train_dataloader.{scale.format(3)}': (128, 64),
            f'val_dataloader.{scale.format(2)}': (128, 64),
            f'test_dataloader.{scale.format(2)}': (128, 64),
            'train_cfg.max_iters': 1,
            'train_cfg.val_interval': 1,
            'train_dataloader.batch_size': 2,
            **{f'{s}_dataloader.num_workers': 0 for s in SPLITS},
            **{f'{s}_dataloader.persistent_workers': False for s in SPLITS},
        }
    )
    set_up_processes(cfg, 'none')
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert (tmp_path / 'run/iter_1.pth').exists()
    assert runner.train_dataloader.dataset.metainfo['classes'] == (
        *('road', 'car', 'person'),
    )
    scalars = next((tmp_path / 'run').rglob('scalars.json')).read_text()
    figures = [json.loads(line) for line in scalars.splitlines()]
    assert any('mIoU' in figure for figure in figures)


def test_the_classes_are_written_as_the_page_says(tmp_path):
    (text,) = docs.blocks(docs.pages()[PAGE], 'json')
    classes = json.loads(text)
    names = [entry['name'] for entry in classes]
    colours = [entry['color'] for entry in classes]
    with LabelWriter(tmp_path / 'out', names, colours) as writer:
        writer.write(np.zeros((4, 4), np.uint8))
    written = (tmp_path / 'out/classes.json').read_text()
    assert json.loads(written) == classes
