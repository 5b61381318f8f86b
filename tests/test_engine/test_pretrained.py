"""Where pretrained weights come from, and what is said of them."""

import copy
import urllib.error
from types import SimpleNamespace

import pytest
import torch
from mmengine import Config
from mmengine.model import BaseModule
from mmengine.runner import BaseLoop, Runner
from mmengine.runner.checkpoint import CheckpointLoader
from mmpretrain.apis.model import get_model
from mmseg.registry import MODELS

from mmseg_video.engine import CheckpointReportHook
from mmseg_video.engine.hooks import checkpoint_report_hook
from mmseg_video.engine.pretrained import fetch, fetch_nothing
from tests.models import FRAMEWISE, build
from tests.runs import CONFIGS, config

RESNET18 = 'mmpretrain://resnet18_8xb32_in1k'


@pytest.fixture
def web(monkeypatch):
    """Address -> what is there; elsewhere there is no network."""
    pages = {}

    def load(filename, map_location=None):
        if filename not in pages:
            raise urllib.error.URLError('Name or service not known')
        return copy.deepcopy(pages[filename])

    schemes = {**CheckpointLoader._schemes}
    schemes.update({'http://': load, 'https://': load})
    monkeypatch.setattr(CheckpointLoader, '_schemes', schemes)
    return pages


class Training(BaseLoop):
    run = None

    def __init__(self):
        pass


@pytest.fixture
def said(monkeypatch):
    """What the hook logs."""
    lines = []
    monkeypatch.setattr(
        checkpoint_report_hook,
        'print_log',
        lambda text, **_: lines.append(text),
    )
    return lines


def start(model):
    """What a Runner does with a model before it trains."""
    hook = CheckpointReportHook()
    runner = SimpleNamespace(model=model, _train_loop=Training())
    hook.before_run(runner)
    copied = copy.deepcopy(model)  # as EMAHook does
    model.init_weights()
    hook.before_train(runner)
    return copied


def segmentor(init_cfg):
    return build(
        FRAMEWISE, backbone=dict(FRAMEWISE['backbone'], init_cfg=init_cfg)
    )


def encoder(path, **extra):
    """A checkpoint of the tiny encoder, with all its values at 0.25."""
    weights = {
        f'backbone.{k}': torch.full_like(
            v, 0.25 if v.is_floating_point() else 3
        )
        for k, v in build(FRAMEWISE).backbone.state_dict().items()
    }
    torch.save(dict(state_dict={**weights, **extra}), path)
    return str(path)


def pretrained(checkpoint, **kwargs):
    return dict(type='Pretrained', checkpoint=str(checkpoint), **kwargs)


def test_an_encoder_is_reported_by_module(tmp_path, said):
    path = encoder(tmp_path / 'x.pth', **{'head.weight': torch.zeros(3)})
    model = segmentor(pretrained(path, prefix='backbone.'))
    start(model)
    (line,) = said
    assert line.startswith(
        f"backbone: checkpoint '{path}': 126 of 126 tensors loaded: conv1 (1)"
    )
    assert (model.backbone.conv1.weight == 0.25).all()


def test_what_an_encoder_lacks_is_named(tmp_path, said):
    path = encoder(tmp_path / 'x.pth')
    weights = {
        key: value
        for key, value in torch.load(path)['state_dict'].items()
        if 'layer1' not in key
    }
    weights['backbone.conv1.weight'] = torch.zeros(4, 3, 7, 7)
    torch.save(dict(state_dict=weights), path)
    start(segmentor(pretrained(path, prefix='backbone')))
    (line,) = said
    assert 'of 126 tensors loaded' in line
    assert 'not in the checkpoint: layer1 (' in line
    assert 'of another shape: conv1 (1), such as conv1.weight' in line


def test_a_prefix_that_is_missing_is_told(tmp_path):
    path = encoder(tmp_path / 'x.pth')
    sentence = r"Nothing matches.*with prefix='backbone\.' 126 tensors would"
    with pytest.raises(RuntimeError, match=sentence):
        start(segmentor(pretrained(path)))


def test_bad_checkpoints_end_before_the_training_begins(tmp_path):
    path = encoder(tmp_path / 'x.pth')
    with pytest.raises(ValueError, match=r"prefix='neck\.'; it holds backb"):
        start(segmentor(pretrained(path, prefix='neck.')))
    with pytest.raises(FileNotFoundError, match=r"no checkpoint 'none\.pth'"):
        start(segmentor(pretrained('none.pth')))


def test_a_test_reads_no_pretrained_weights():
    model = segmentor(pretrained('none.pth'))
    runner = SimpleNamespace(model=model, _train_loop=dict(max_iters=1))
    CheckpointReportHook().before_run(runner)


class LoadsByItself(BaseModule):
    """As mmseg's Swin does: other names, its own ``load_state_dict``."""

    def __init__(self, path, load=True):
        super().__init__(init_cfg=pretrained(path))
        self.conv = torch.nn.Conv2d(3, 8, 1)
        self.load = load

    def init_weights(self):
        if self.load:
            path = self.init_cfg['checkpoint']
            weights = CheckpointLoader.load_checkpoint(path, 'cpu')
            weights = {f'conv.{key}': value for key, value in weights.items()}
            self.load_state_dict(weights, strict=False)


class Whole(BaseModule):
    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone


def test_modules_that_load_by_themselves_are_reported_too(tmp_path, said):
    path = tmp_path / 'x.pth'
    weight = torch.zeros(8, 3, 1, 1)
    torch.save(dict(weight=weight, other=torch.zeros(1)), path)
    start(Whole(LoadsByItself(path)))
    (line,) = said
    assert '1 of 2 tensors loaded: conv (1); not in the checkpoint' in line
    torch.save(dict(bias=torch.zeros(8)), path)
    with pytest.raises(RuntimeError, match='25% of the parameters: too litt'):
        start(Whole(LoadsByItself(path)))
    torch.save(dict(other=torch.zeros(1)), path)
    with pytest.raises(RuntimeError, match='Nothing matches'):
        start(Whole(LoadsByItself(path)))


def test_a_checkpoint_that_nobody_loads_is_an_error(tmp_path):
    path = tmp_path / 'x.pth'
    torch.save(dict(bias=torch.zeros(8)), path)
    with pytest.raises(RuntimeError, match='nothing was loaded'):
        start(Whole(LoadsByItself(path, load=False)))


def test_weights_that_come_with_the_module_are_said(
    tmp_path, said, monkeypatch
):
    """timm fetches at construction; here, what it would have fetched."""
    asked = []

    def create_model(model_name, pretrained, **_):
        asked.append((model_name, pretrained))
        return torch.nn.Conv2d(3, 8, 1)

    monkeypatch.setattr('timm.create_model', create_model)
    cfg = Config.fromfile(
        CONFIGS / '_base_/models/unet_efficientnet_lite0_timm.py'
    )
    start(Whole(MODELS.build(cfg.model.backbone)))
    assert asked == [('tf_efficientnet_lite0', True)]
    assert said == [
        'backbone: all 2 tensors loaded by TIMMBackbone itself when it was '
        'built'
    ]
    # They win, in silence, over those that init_cfg names.
    torch.save(dict(weight=torch.zeros(1)), tmp_path / 'x.pth')
    cfg.model.backbone.init_cfg = pretrained(tmp_path / 'x.pth')
    with pytest.raises(RuntimeError, match='pretrained=False'):
        start(Whole(MODELS.build(cfg.model.backbone)))


def test_later_loads_and_copies_of_the_model_are_silent(tmp_path, said):
    path = encoder(tmp_path / 'x.pth')
    model = segmentor(pretrained(path, prefix='backbone.'))
    copied = start(model)
    model.load_state_dict(copied.state_dict())
    copied.load_state_dict(model.state_dict())
    copied.backbone.load_state_dict(model.backbone.state_dict())
    assert len(said) == 1


def test_mmpretrains_names(web, said):
    """Every tensor of mmpretrain's ResNet-18 has its place in ours."""
    torch.manual_seed(0)
    model = get_model('resnet18_8xb32_in1k', pretrained=False)
    web[model._metainfo.weights] = dict(state_dict=model.state_dict())
    cfg = Config.fromfile(CONFIGS / '_base_/models/unet_r18_imagenet.py')
    cfg.model.backbone.norm_cfg.type = 'BN'
    whole = Whole(MODELS.build(cfg.model.backbone))
    start(whole)
    (line,) = said
    assert f"backbone: checkpoint '{RESNET18}': 120 of 120 tensors" in line
    for name, value in model.backbone.state_dict().items():
        torch.testing.assert_close(whole.backbone.state_dict()[name], value)


def test_a_wrong_name_is_told_its_neighbours():
    sentence = (
        r"no model 'resnet18_8xb33_in1k'; close to it are resnet18_8xb32"
    )
    with pytest.raises(ValueError, match=sentence):
        fetch('mmpretrain://resnet18_8xb33_in1k')


def test_a_download_that_fails(web):
    sentence = r"cannot fetch the weights 'mmpretrain.*Download them on a mach"
    with pytest.raises(OSError, match=sentence):
        fetch(RESNET18)
    with pytest.raises(OSError, match=r"weights 'https://a\.b/x\.pth'"):
        fetch('https://a.b/x.pth')


def test_a_file_that_is_no_checkpoint(tmp_path):
    path = tmp_path / 'x.pth'
    path.write_text('not a checkpoint at all')
    with pytest.raises(ValueError, match='no checkpoint that torch reads'):
        fetch(str(path))


def test_a_file_without_weights_by_name(framewise, root, tmp_path):
    path = tmp_path / 'list.pth'
    torch.save([torch.zeros(3)], path)
    cfg = config('unet', root, tmp_path, load_from=str(path))
    with pytest.raises(RuntimeError, match='holds a list, no weights by'):
        Runner.from_cfg(cfg).train()


@pytest.mark.parametrize('renamed', [True, False])
def test_classes_of_other_names_are_told(
    renamed, framewise, root, tmp_path, said
):
    """As many of them fit, and mean something else."""
    checkpoint = torch.load(framewise / 'iter_2.pth', weights_only=False)
    classes = list(checkpoint['meta']['dataset_meta']['classes'])
    checkpoint['meta']['dataset_meta']['classes'] = (
        classes[::-1] if renamed else classes
    )
    path = tmp_path / 'other.pth'
    torch.save(checkpoint, path)
    cfg = config('rnn_unet_joint', root, tmp_path, load_from=str(path))
    cfg.train_cfg.max_iters = 1
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    Runner.from_cfg(cfg).train()
    text = ' '.join(said)
    assert ('0 is bicycle there, road here' in text) == renamed


def test_tests_and_inference_fetch_nothing():
    cfg = dict(
        pretrained='open-mmlab://resnet50_v1c',
        backbone=dict(
            type='mmseg.TIMMBackbone', init_cfg=pretrained('none.pth')
        ),
        neck=[dict(init_cfg=pretrained('none.pth'))],
        decode_head=dict(init_cfg=dict(type='Normal', std=0.01)),
    )
    fetch_nothing(cfg)
    assert cfg['pretrained'] is None
    assert cfg['backbone']['init_cfg'] is None
    assert cfg['backbone']['pretrained'] is False
    assert cfg['neck'][0]['init_cfg'] is None
    assert cfg['decode_head']['init_cfg']['type'] == 'Normal'
