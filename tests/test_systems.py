"""Every config of Wang et al., Siam et al., RVM and smoothing trains and
streams, and smoothing runs through the evaluation of recurrent models."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from mmengine import Config
from mmseg.registry import DATASETS, MODELS

from mmseg_video.apis import VideoSegInferencer
from mmseg_video.engine.launch import revert_sync_bn
from mmseg_video.experiments.costs import build as build_for_costs
from mmseg_video.experiments.costs import streamer
from tests.commands import TOOLS, tiny
from tests.models import samples, wake
from tests.runs import CONFIGS, leaf

FAMILIES = ('dru_sru', 'rfcn', 'rvm', 'temporal_smoothing')
LEAVES = sorted(p for f in FAMILIES for p in (CONFIGS / f).glob('*.py'))
# Of the recurrent U-Net's own axes, those that came with these systems.
AXES = [
    leaf(f'rnn_unet_{name}_cityscapes')
    for name in ('elman', 'laterals', 'final_rnn_only')
]
CLIPS = [
    p
    for p in LEAVES + AXES
    if p.stem.startswith('rnn_') or p.parent.name == 'temporal_smoothing'
]
SIZE = (32, 64)


def names(path):
    return path.stem


def build(path):
    cfg = Config.fromfile(path)
    revert_sync_bn(cfg.model)
    torch.manual_seed(0)
    return MODELS.build(cfg.model)


def entries(family):
    meta = yaml.safe_load((CONFIGS / family / 'metafile.yml').read_text())
    return meta['Collections'], meta['Models']


def test_the_list_is_not_empty():
    assert len(LEAVES) >= 30
    assert {p.parent.name for p in LEAVES} == set(FAMILIES)


@pytest.mark.parametrize('family', FAMILIES)
def test_the_metafile_lists_every_config_and_no_other(family):
    collections, models = entries(family)
    stems = [p.stem for p in LEAVES if p.parent.name == family]
    assert sorted(m['Name'] for m in models) == stems
    known = {p.stem for p in CONFIGS.rglob('*.py')}
    for model in models:
        assert model['Config'] == f'configs/{family}/{model["Name"]}.py'
        assert model['In Collection'] in [c['Name'] for c in collections]
        baseline = model.get('Metadata', {}).get('Framewise Baseline')
        assert (baseline is None) == (
            model['Name'].split('_')[0] in ('fcn', 'unet')
        )
        assert baseline is None or baseline in known


@pytest.mark.parametrize('path', LEAVES + AXES, ids=names)
def test_it_trains_and_streams(path):
    """Every parameter gets a gradient; a stream is worth its clip."""
    model = wake(build(path)).train()
    clips = torch.randn(2, 3, 3, *SIZE)
    labels = samples(2, SIZE)
    for sample in labels:
        sample.gt_sem_seg.data %= model.decode_head.num_classes
    losses = model.loss(clips if path in CLIPS else clips[:, -1], labels)
    sum(v for k, v in losses.items() if 'loss' in k).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
    if path in CLIPS:
        assert_streaming_equals_the_clip(model.eval(), clips)


@torch.no_grad()
def assert_streaming_equals_the_clip(model, clips):
    num_clips, num_frames = clips.shape[:2]
    data, states = samples(num_clips, tuple(clips.shape[-2:])), None
    flow = torch.rand(num_clips, num_frames, 3, 16, 32)
    for sample, field in zip(data, flow, strict=True):
        sample.flow = field
    for t in range(num_frames):
        got, states = model.step(clips[:, t], states, flow[:, t])
    want = [s.seg_logits.data for s in model.predict(clips, data)]
    torch.testing.assert_close(got, torch.stack(want), rtol=1e-3, atol=1e-4)
    maps = {place: len(state) for place, state in states.items()}
    assert maps == model.state_maps


@pytest.mark.parametrize(
    'model',
    [m for f in FAMILIES for m in entries(f)[1]],
    ids=lambda m: m['Name'],
)
def test_the_checkpoint_of_the_baseline_fits(model):
    """All of it is taken, and only what recurs is new. Wang et al.'s net
    reads a mask too: it starts anew."""
    baseline = model.get('Metadata', {}).get('Framewise Baseline')
    if baseline is None or model['In Collection'] == 'DRU and SRU':
        return
    with torch.device('meta'):  # shapes only
        ours = build(CONFIGS.parent / model['Config']).state_dict()
        base = build(leaf(baseline)).state_dict()
    for key, value in base.items():
        assert ours.pop(key).shape == value.shape
    assert all('rnn' in key for key in ours)


def test_foreground_becomes_one_class(root):
    cfg = Config.fromfile(
        CONFIGS / 'rfcn/rnn_rfcn_light_foreground_cityscapes.py'
    )
    dataset = cfg.train_dataloader.dataset
    dataset.data_root = str(root)
    dataset.num_frames = 1
    dataset.pipeline = [
        t for t in dataset.pipeline if t['type'] != 'ClipAugment'
    ]
    binary = DATASETS.build(dataset)
    assert binary.metainfo['classes'] == ('background', 'foreground')
    assert len(binary.metainfo['palette']) == 2
    names = dataset.pop('foreground')
    plain = DATASETS.build(dataset)
    ids = [plain.metainfo['classes'].index(name) for name in names]
    found = set()
    for got, want in zip(binary, plain, strict=True):
        got, want = (
            x['data_samples'].gt_sem_seg.data.numpy() for x in (got, want)
        )
        ignored = want == 255
        np.testing.assert_array_equal(got == 255, ignored)
        np.testing.assert_array_equal(got == 1, np.isin(want, ids))
        found |= set(np.unique(got))
    assert {0, 1} <= found
    with pytest.raises(ValueError, match='road, sidewalk'):
        DATASETS.build(dict(dataset, foreground=['cat']))


@pytest.fixture
def evaluate(root, framewise, tmp_path, monkeypatch, capsys):
    """A function that tests a config with the framewise checkpoint."""

    def run(config, *arguments, options=()):
        argv = [
            *(TOOLS / 'test.py', config, framewise / 'iter_2.pth'),
            *('--work-dir', tmp_path, *arguments, *tiny(root), *options),
        ]
        monkeypatch.setattr(sys, 'argv', [str(a) for a in argv])
        runpy.run_path(argv[0], run_name='__main__')
        written = capsys.readouterr().out.strip().splitlines()[-1]
        return json.loads(Path(written.split('written to ')[1]).read_text())

    return run


@pytest.mark.parametrize('name', ['ema', 'flow_ema'])
def test_smoothing_runs_through_the_evaluation(name, evaluate):
    config = leaf(f'{name}_unet_street')
    stream = evaluate(config, '--stream', '--temporal')['metrics']
    assert {'mIoU', 'TC_VSPW', 'flicker'} <= set(stream)
    # States are reset between sequences: each is worth its clip.
    clip = evaluate(config, '--num-frames', 12)['metrics']
    assert clip['aAcc'] == stream['aAcc']


def test_the_present_frame_alone_is_the_framewise_net(evaluate):
    config = leaf('flow_ema_unet_street')
    alone = evaluate(config, options=['model.filter.weight=1'])
    framewise = evaluate(CONFIGS / 'unet_street.py')
    assert alone['metrics'] == framewise['metrics']
    smoothed = evaluate(config, options=['model.filter.weight=0.1'])
    assert smoothed['metrics'] != framewise['metrics']


@torch.no_grad()
def test_smoothing_in_the_inferencer(root, framewise, tmp_path):
    """With the framewise checkpoint; streams in a batch are as if alone."""
    cfg = Config.fromfile(leaf('flow_ema_unet_street'))
    cfg.model.backbone.base_channels = 8
    cfg.model.decode_head.update(in_channels=[8, 16, 32, 64], channels=8)
    cfg.dump(tmp_path / 'config.py')
    inferencer = VideoSegInferencer(
        str(tmp_path / 'config.py'), str(framewise / 'iter_2.pth'), 'cpu'
    )
    frames = np.random.default_rng(0).integers(0, 256, (3, *SIZE, 3), np.uint8)
    want = [p.label for p in inferencer.predict(frames)]
    inferencer.predict_frame(frames[2], 'a')
    for t in range(3):
        got = inferencer.predict_frames({'a': frames[0], 'b': frames[t]})
        assert (got['b'].label == want[t]).mean() > 0.999


@pytest.mark.parametrize(
    'name',
    [
        'dru_sru/rnn_dru_refine_cityscapes',
        'rfcn/rnn_rfcn_light_cityscapes',
        'temporal_smoothing/flow_ema_unet_street',
    ],
)
def test_costs_can_be_measured(name):
    model = build_for_costs(CONFIGS / f'{name}.py', 'cpu')
    next_frame = streamer(model, torch.randn(1, 3, *SIZE))
    next_frame()
    next_frame()


def test_a_config_with_places_in_the_head_survives_its_dump(tmp_path):
    """A work dir keeps the config it was trained with."""
    cfg = Config.fromfile(CONFIGS / 'rvm/rnn_rvm_cityscapes.py')
    cfg.dump(tmp_path / 'config.py')
    assert Config.fromfile(tmp_path / 'config.py').model == cfg.model
