"""Nets by name, by files and by function, steadied on video."""

import cv2
import numpy as np
import pytest
import torch
from mmengine import Config

from mmseg_video.apis import (
    LiveSegmentor,
    VideoSegInferencer,
    open_net,
    segmentors,
    steady,
)
from mmseg_video.apis.steady import filter_in_words
from mmseg_video.flow.estimators import build_flow
from mmseg_video.models.steady_filters import FLOW
from tests.frames import moving
from tests.models import FRAMEWISE, NUM_CLASSES, RECURRENT, build
from tests.test_apis.test_video_seg_inferencer import agree, saved

CLASSES = [f'class {i}' for i in range(NUM_CLASSES)]


@pytest.fixture(scope='module')
def video():
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (8, 16, 3), np.uint8)
    frame = cv2.resize(frame, (124, 60), interpolation=cv2.INTER_CUBIC)
    return [frame[:, 8 * t : 8 * t + 100].copy() for t in range(3)]


def brightness(images):
    images = torch.nn.functional.avg_pool2d(images, 4) / 255
    return torch.cat([images, 1 - images[:, :2]], 1)


def test_a_function_of_frames(video):
    inferencer = steady(brightness, CLASSES, device='cpu')
    predictions = list(inferencer.predict(video))
    assert [p.label.shape for p in predictions] == [(60, 100)] * 3
    assert predictions[0].overlay().shape == (60, 100, 3)
    alone = steady(brightness, CLASSES, filter='none', device='cpu')
    assert agree(alone.predict_frame(video[0]).label, predictions[0].label)
    by_itself = alone.predict_frame(video[2]).label
    assert not np.array_equal(by_itself, predictions[2].label)
    place = steady(brightness, CLASSES, filter='place', device='cpu')
    *_, last = place.predict(video)
    assert not agree(last.label, predictions[2].label)


def test_what_another_library_is_needed_for(monkeypatch):
    net = dict(
        type='EncoderDecoder',
        backbone=FRAMEWISE['backbone'],
        decode_head=dict(
            type='MaskFormerHead', pixel_decoder=dict(type='mmdet.Pixels')
        ),
    )
    monkeypatch.setattr(segmentors, 'find_spec', lambda name: None)
    monkeypatch.setattr('mmseg.models.decode_heads.psa_head.PSAMask', None)
    with pytest.raises(RuntimeError, match='pip install onedl-mmdetection'):
        segmentors.build_segmentor(net)
    net['decode_head'] = dict(
        type='PSAHead',
        in_channels=64,
        channels=8,
        num_classes=3,
        mask_size=(4, 4),
    )
    with pytest.raises(RuntimeError, match='PSAMask, which MMCV has only wh'):
        segmentors.build_segmentor(net)
    with pytest.raises(ValueError, match='estimates depth'):
        segmentors.build_segmentor(dict(type='DepthEstimator'))


def test_more_classes_than_a_label_map_holds(video):
    names = [str(i) for i in range(256)]
    with pytest.raises(ValueError, match='256 classes, label maps hold 255'):
        steady(brightness, names, device='cpu')


def test_a_segmentor_that_is_built(video):
    net = build(FRAMEWISE)
    net.dataset_meta = dict(classes=CLASSES, palette=None)
    inferencer = steady(net, filter='none', device='cpu')
    assert inferencer.classes == tuple(CLASSES)
    assert inferencer.predict_frame(video[0]).label.shape == (60, 100)


@pytest.mark.parametrize('name', ['unet_finetune', 'rnn_unet'])
def test_files_of_a_training_of_ours(name, tmp_path):
    config, checkpoint, _ = saved(name, tmp_path)
    rng = np.random.default_rng(0)
    clip = list(rng.integers(0, 256, (3, 64, 128, 3), np.uint8))
    got = steady((config, checkpoint), filter='none', device='cpu')
    want = VideoSegInferencer(config, checkpoint, 'cpu')
    assert got.classes == want.classes
    for ours, theirs in zip(
        got.predict(clip), want.predict(clip), strict=True
    ):
        assert agree(ours.label, theirs.label)
        assert ours.palette == theirs.palette


def test_a_name_of_the_zoo(monkeypatch, tmp_path, video):
    """But for its weights, which are random."""
    name = 'pidnet-s_2xb6-120k_1024x1024-cityscapes'
    config, address = segmentors.find_in_zoo(name)
    assert address.startswith('https://')
    from mmseg.registry import MODELS

    from mmseg_video.engine.launch import revert_sync_bn
    from mmseg_video.engine.pretrained import fetch_nothing

    revert_sync_bn(config.model)
    fetch_nothing(config.model)
    checkpoint = tmp_path / 'pidnet.pth'
    torch.save(
        dict(state_dict=MODELS.build(config.model).state_dict()), checkpoint
    )
    entry = dict(segmentors.zoo()[name], Weights=str(checkpoint))
    monkeypatch.setitem(segmentors.zoo(), name, entry)
    inferencer = steady(name, device='cpu')
    assert inferencer.classes[0] == 'road'
    *_, last = inferencer.predict(video)
    assert last.label.shape == (60, 100)


def test_bad_models_are_refused_with_a_sentence(tmp_path):
    with pytest.raises(
        ValueError, match=r"has a model 'pidnet-s', .*; close to.*pidnet-s_"
    ):
        steady('pidnet-s')
    with pytest.raises(ValueError, match='close to it are segformer_mit-b0'):
        steady('segformer_mit-b0_8x1_1024x1024_160k_cityscapes')
    with pytest.raises(ValueError, match=r"^filter must .*'none'.*'flows'"):
        steady(brightness, CLASSES, filter='flows')
    with pytest.raises(ValueError, match='name the classes of the net'):
        steady(brightness)
    with pytest.raises(ValueError, match='is no net'):
        steady(3)
    with pytest.raises(ValueError, match='2 classes are named'):
        open_net(open_net(brightness, CLASSES), ['a', 'b'])
    with pytest.raises(ValueError, match=r'2 classes are named, .* 11: '):
        open_net('unet_imagenet_camvid', ['a', 'b'])
    with pytest.raises(FileNotFoundError, match="no config 'none"):
        steady(('none.py', 'none.pth'))


def test_colours_may_be_arrays():
    video = steady(
        torch.nn.Identity(),
        ['a', 'b', 'c'],
        palette=np.uint8([[0, 0, 0], [9, 9, 9], [200, 1, 2]]),
        mean=np.float32([1, 2, 3]),
        std=np.float32([1, 1, 2]),
        device='cpu',
    )
    (prediction,) = video.predict([np.zeros((32, 32, 3), np.uint8)])
    assert (prediction.overlay(1.0) == 0).all()


def test_a_net_without_a_filter_gets_the_flow_of_its_config(tmp_path):
    path, checkpoint, _ = saved('rnn_unet_gated_ema', tmp_path)
    cfg = Config.fromfile(path)
    cfg.model.flow_compensated = True
    cfg.test_dataloader.dataset.augments = dict(
        flow=dict(type='AddFlow', min_size=32)
    )
    cfg.dump(path)
    alone = steady((path, checkpoint), filter='none', device='cpu')
    want = VideoSegInferencer(path, checkpoint, 'cpu')
    assert want.flow.settings['min_size'] == 32
    assert alone.flow.settings == want.flow.settings


def test_a_net_that_averages_its_scores_gets_no_filter(tmp_path):
    path, checkpoint, _ = saved('rnn_unet_gated_ema', tmp_path)
    video = steady((path, checkpoint), device='cpu')
    assert (video.model.filter, video.flow) == (None, None)
    line = 'none (the net has a gated EMA of its own)'
    assert filter_in_words(video.model) == line
    asis = VideoSegInferencer(path, checkpoint, 'cpu')
    assert filter_in_words(asis.model) == line
    # Who asks for a filter, or for its flow, gets it.
    for asked in (dict(filter='flow'), dict(flow='codec')):
        behind = steady((path, checkpoint), device='cpu', **asked)
        assert filter_in_words(behind.model) == 'flow-compensated EMA'
    # States that are no average of the scores do not steady them.
    net = build(RECURRENT)
    net.dataset_meta = dict(classes=CLASSES, palette=None)
    video = steady(net, device='cpu')
    assert filter_in_words(video.model) == 'flow-compensated EMA'
    alone = steady(net, filter='none', device='cpu')
    assert filter_in_words(alone.model) == 'none'


@pytest.mark.parametrize(
    ('wrong', 'sentence'),
    [
        (dict(filter=3), "^filter must be one of 'flow', .*: 3"),
        (dict(flow='lucas'), "^flow must be one of 'dis', 'codec': 'lucas'"),
        (dict(every=2.5), '^every must be a number of frames'),
        (dict(max_every='3'), "^max_every must be .*'3'"),
        (dict(tolerance='x'), "^tolerance is .*'x'"),
        (dict(min_contrast='x'), "^min_contrast is .*'x'"),
        (dict(max_held=1.5), '^max_held must be .*1.5'),
        (dict(max_streams='x'), "^max_streams must be .*'x'"),
        (dict(device='tpu'), "^device='tpu' is none .* give 'cpu'"),
        (dict(palette=[[1, 2, 3]]), r'^palette must be \d+ colours .*1, 2, 3'),
        (dict(palette=[[1, 2, 300]] * NUM_CLASSES), '^palette .* of 0 to 255'),
        (dict(palette='red'), "^palette must be .*'red'"),
        (dict(mean=[1.0]), r'^mean is three numbers.*\[1.0\]'),
        (dict(std='red'), "^std is three numbers.*'red'"),
        (dict(std=[1, 0, 1]), r'^std is three numbers above 0.*\[1, 0, 1\]'),
        (dict(filtre='flow'), "no argument 'filtre'"),
        (dict(means=[1, 2, 3]), "no argument 'means'; close to it are mean"),
    ],
)
def test_every_argument_is_refused_by_its_name(wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        steady(brightness, CLASSES, **{'device': 'cpu', **wrong})


def test_what_a_segmentor_has_itself_is_not_given():
    net = build(FRAMEWISE)
    for name in ('mean', 'providers'):
        with pytest.raises(ValueError, match=f'^{name}: .* has its own'):
            open_net(net, CLASSES, **{name: [1, 2, 3]})
    palette = [[1, 2, 3]] * NUM_CLASSES
    assert open_net(net, CLASSES, palette=palette).palette == palette


def test_a_gpu_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    with pytest.raises(ValueError, match=r"^device='cuda': .* take 'cpu'"):
        steady(brightness, CLASSES, device='cuda')
    monkeypatch.setattr('torch.cuda.is_available', lambda: True)
    monkeypatch.setattr('torch.cuda.device_count', lambda: 2)
    with pytest.raises(ValueError, match=r"^device='cuda:2': .* is cuda:1$"):
        steady(brightness, CLASSES, device='cuda:2')


def test_a_gated_ema_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match='this net has no states'):
        steady(brightness, CLASSES, filter='gated', device='cpu')


def test_a_name_of_ours_has_its_published_weights():
    video = steady('unet_imagenet_camvid', device='cpu')
    assert (video.classes[0], len(video.classes)) == ('Sky', 11)
    with pytest.raises(ValueError, match="no weights are published for 'rnn_"):
        steady('rnn_unet_cityscapes', device='cpu')
    with pytest.raises(ValueError, match=r'close to it are .*et_imagenet_ca'):
        steady('unet_imagenet_camvit', device='cpu')


def test_a_recurrent_net_gets_its_own_flow_behind_a_filter(tmp_path):
    path, checkpoint, _ = saved('rnn_unet_gated_ema', tmp_path)
    behind = steady((path, checkpoint), filter='flow', device='cpu')
    assert 'stacked' not in behind.flow.settings
    cfg = Config.fromfile(path)
    cfg.model.flow_compensated = True
    cfg.test_dataloader.dataset.augments = dict(
        flow=dict(type='AddFlow', min_size=32)
    )
    cfg.dump(path)
    video = steady((path, checkpoint), filter='flow', device='cpu')
    filters, own = video.flow.makers
    assert filters.settings == build_flow(**FLOW).settings
    want = VideoSegInferencer(path, checkpoint, 'cpu')
    assert own.settings == want.flow.settings
    # What the net carries is what it carries alone.
    frames = moving(3, 4, height=64, width=128)
    for frame in frames:
        video.predict_frame(frame)
        want.predict_frame(frame)
    got = video.streams['default'].states
    for place, state in want.streams['default'].states.items():
        torch.testing.assert_close(
            *(got[f'net.{place}'], state), rtol=1e-2, atol=1e-2
        )
    for lag in (None, 2):
        assert len(list(video.predict(frames, lag=lag))) == 3
    with LiveSegmentor(video) as live:
        assert len(list(live.predict(frames))) == 3


def test_options_of_a_net_that_is_built_are_refused():
    net = open_net(brightness, CLASSES)
    with pytest.raises(ValueError, match='stride: a CallableNet is built'):
        steady(net, stride=8, device='cpu')
