"""Self-supervised training on unlabelled frames, and its encoder."""

import importlib.util
import sys

import pytest
import torch
from mmengine import Config
from mmengine.runner import Runner

from mmseg_video.engine.launch import set_up_processes
from tests.commands import ROOT, TOOLS
from tests.runs import options

CONFIGS = ROOT / 'configs/densecl'
TINY = {
    'train_cfg.max_iters': 2,
    'default_hooks.checkpoint.interval': 2,
    'default_hooks.logger.interval': 1,
    'train_dataloader.batch_size': 4,
    'train_dataloader.num_workers': 0,
    'train_dataloader.persistent_workers': False,
    'train_dataloader.dataset.pipeline.1.transforms.0.0.scale': 64,
    'model.backbone.base_channels': 8,
    'model.neck.in_channels': 64,
    'model.neck.hid_channels': 16,
    'model.queue_len': 32,
}


@pytest.fixture(scope='module')
def ssl(root, tmp_path_factory):
    """The work dir of a tiny training by tools/train.py."""
    spec = importlib.util.spec_from_file_location(
        'train_tool', TOOLS / 'train.py'
    )
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    work_dir = tmp_path_factory.mktemp('densecl')
    pairs = [f'{key}={value}' for key, value in TINY.items()]
    arguments = [
        *('train.py', CONFIGS / 'densecl_cityscapes.py'),
        *('--data-root', root, '--work-dir', work_dir),
        *('--cfg-options', *pairs),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, 'argv', [str(a) for a in arguments])
        tool.main()
    return work_dir


def log(work_dir):
    return ''.join(p.read_text() for p in work_dir.glob('*/*.log'))


def test_it_trains_on_every_frame_of_the_sequences(ssl, root):
    assert 'Iter(train) [2/2]' in log(ssl)
    assert 'loss_dense' in log(ssl)
    cfg = Config.fromfile(next(ssl.glob('*.py')))
    dataset = Runner.build_dataloader(cfg.train_dataloader, seed=0).dataset
    frames = sorted((root / 'leftImg8bit_sequence/train').rglob('*.png'))
    assert len(dataset) == len(frames) == 24
    one, two = dataset[0]['inputs']
    assert one.shape == two.shape == (3, 64, 64)
    assert not torch.equal(one, two)


def test_the_encoder_is_what_the_segmentor_loads(ssl, root, tmp_path):
    cfg = Config.fromfile(CONFIGS / 'unet_cityscapes_densecl-pretrained.py')
    crop = 'train_dataloader.dataset.pipeline.2.transforms.1.crop_size'
    cfg.merge_from_dict({**options(root), crop: (64, 128)})
    path = ssl / 'iter_2.pth'
    cfg.model.backbone.init_cfg.checkpoint = str(path)
    cfg.train_cfg.update(max_iters=1, val_begin=9)
    cfg.optim_wrapper.optimizer.lr = 0.0
    cfg.work_dir = str(tmp_path)
    set_up_processes(cfg, 'none')
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert f"backbone: checkpoint '{path}': 126 of 126 tensors" in log(
        tmp_path
    )
    theirs = torch.load(path, weights_only=False)['state_dict']
    for name, value in runner.model.backbone.named_parameters():
        assert torch.equal(value, theirs[f'backbone.{name}'])


def test_a_folder_without_frames_is_named(tmp_path):
    cfg = Config.fromfile(CONFIGS / 'densecl_cityscapes.py')
    cfg.train_dataloader.dataset.data_root = str(tmp_path)
    with pytest.raises((OSError, RuntimeError), match=str(tmp_path)):
        Runner.build_dataloader(cfg.train_dataloader, seed=0)
