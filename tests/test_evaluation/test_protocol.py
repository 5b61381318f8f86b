"""A protocol: its name, its arguments, what it makes of a config."""

import itertools
import sys

import pytest
from mmengine import Config

from mmseg_video.cli.test import parse_args
from mmseg_video.evaluation.figures import check_figures
from mmseg_video.evaluation.protocol import Protocol
from tests.runs import leaf

CLIPS = [
    Protocol(num_frames, interval, degrade=degrade, corrupt=corrupt, amp=amp)
    for num_frames, interval, degrade, corrupt, amp in itertools.product(
        (1, 12), (None, 3), (0.0, 0.2, 1.0), (None, ('jpeg', 2)), (False, True)
    )
]
DATA = dict(dataset=dict(pipeline=[]))
STREAMS = [
    Protocol(stream=True, every=every, degrade=degrade)
    for every in (1, 3, 10, 'adaptive')
    for degrade in (0.0, 0.05)
]
ALL = [
    *CLIPS,
    *STREAMS,
    *(Protocol(5, tta=True), Protocol(5, 2, tta=True)),
    *(Protocol(5, amp='float16'), Protocol(stream=True, amp='bfloat16')),
]


def config(name='rnn_unet_street'):
    return Config.fromfile(leaf(name))


@pytest.mark.parametrize('protocol', ALL, ids=lambda p: p.name)
def test_name_and_arguments_say_it_all(protocol, monkeypatch):
    assert Protocol.parse(protocol.name) == protocol
    argv = ['test.py', 'config.py', 'k.pth', *protocol.arguments]
    monkeypatch.setattr(sys, 'argv', argv)
    assert parse_args().protocol == protocol


def test_names_differ():
    assert len({protocol.name for protocol in ALL}) == len(ALL)
    assert Protocol.parse('t5_interval3_degrade0.2_jpeg_1').name == (
        't5_interval3_degrade0.2_jpeg_1'
    )


@pytest.mark.parametrize(
    'name',
    ['', 't0', 'T=5', 'stream_interval2', 't5_fog_1', 't5_jpeg_4', 't5_x']
    + ['t5_every3', 'stream_every1', 'stream_every0', 'stream_every3_adaptive']
    + ['t5_degrade2', 't5_degrade', 'stream_tta', 't5_degrade0.2_tta', 't5\n'],
)
def test_unknown_names(name):
    with pytest.raises(ValueError, match='unknown protocol') as error:
        Protocol.parse(name)
    assert '_degrade0.2' in str(error.value)


@pytest.mark.parametrize(
    ('values', 'sentence'),
    [
        (dict(stream=True, num_frames=3), '--stream goes with none of'),
        (dict(stream=True, interval=2), '--stream goes with none of'),
        (dict(every=3), '--every is of streams: add --stream'),
        (dict(stream=True, every=0), '--every: .*frames >= 1'),
        (
            dict(stream=True, every='often'),
            "'adaptive', got 'often",
        ),
        (dict(tta=True, degrade=0.1), '--tta goes with neither'),
        (dict(amp='int8'), "--amp is float16 or bfloat16, got 'int8'"),
        (dict(degrade=1.5), 'a part of the frames, 0 to 1'),
        (dict(corrupt=('fog', 1)), 'choose of .*jpeg'),
        (dict(corrupt=('jpeg', 'x')), 'a severity of 1, 2, 3'),
    ],
)
def test_what_does_not_go_together(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        Protocol(**values)


def test_clips_of_another_length():
    cfg = config()
    got = Protocol(num_frames=12, interval=2).apply(cfg)
    dataset = cfg.test_dataloader.dataset
    assert (dataset.num_frames, dataset.frame_interval) == (12, 2)
    assert got.name == 't12_interval2'
    assert cfg.val_dataloader.dataset.num_frames == 5


def test_what_is_not_said_is_the_configs():
    cfg, untouched = config(), config()
    assert Protocol().apply(cfg).name == 't5'
    assert cfg.to_dict() == untouched.to_dict()
    interval = config('rnn_unet_interval3_cityscapes')
    assert Protocol().apply(interval).name == 't5_interval3'
    assert Protocol().apply(config('rnn_unet_stream_cityscapes')) == Protocol(
        stream=True
    )


def test_a_stream_is_read_in_order():
    cfg = config()
    assert Protocol(stream=True).apply(cfg).name == 'stream'
    dataset = cfg.test_dataloader.dataset
    assert (dataset.mode, dataset.num_frames) == ('stream', 1)
    assert cfg.test_dataloader.sampler.type == 'SequenceSampler'
    assert cfg.model.test_cfg.streaming


def test_the_net_runs_on_some_frames_of_a_stream():
    cfg = config()
    got = Protocol(stream=True, every='3').apply(cfg)
    assert got.name == 'stream_every3'
    assert cfg.model.test_cfg.every == 3
    # What the config says is what is tested.
    assert Protocol(stream=True).apply(cfg).name == 'stream_every3'
    with pytest.raises(ValueError, match='EncoderDecoder sees every frame'):
        Protocol(stream=True, every=3).apply(config('unet_street'))


def test_worse_video_is_made_right_after_it_is_loaded():
    cfg = config()
    Protocol(degrade=0.2, corrupt=('dark', 3)).apply(cfg)
    pipeline = cfg.test_dataloader.dataset.pipeline
    loaded, dark, burst = pipeline[1:4]
    assert loaded.type == 'LoadRefFrames'
    assert (dark['type'], dark['severity']) == ('CorruptFrames', 3)
    assert (burst['type'], burst['prob']) == ('RandomBurst', 0.2)
    assert burst['seed'] == 0


def test_mixed_precision_reaches_the_loop():
    """MMEngine's loop switches any autocast around it off."""
    cfg = config()
    Protocol(amp=True).apply(cfg)
    assert cfg.test_cfg.amp is True
    Protocol(amp='float16').apply(cfg)
    assert cfg.test_cfg.amp == 'float16'
    assert not config().test_cfg.get('amp')


def test_augmentation_needs_a_pipeline():
    cfg = config('unet_camvid')
    model, cfg.tta_pipeline = cfg.model, [dict(type='LoadImageFromFile')]
    Protocol(tta=True).apply(cfg)
    assert cfg.test_dataloader.dataset.pipeline == cfg.tta_pipeline
    assert cfg.model.module == model
    with pytest.raises(ValueError, match='no tta_pipeline'):
        Protocol(tta=True).apply(Config(dict(test_dataloader=DATA)))


def test_all_clips_of_clean_video_are_one_to_a_framewise_model():
    assert Protocol.parse('t12_interval3').of_key_frame.name == 't1'
    adaptive = Protocol.parse('stream_adaptive_degrade0.2')
    assert adaptive.of_key_frame.name == 'stream_degrade0.2'
    for name in ('stream', 't12_degrade0.2', 't5_interval3_jpeg_1'):
        assert Protocol.parse(name).of_key_frame.name == name


def test_which_figures_need_metrics_over_time():
    assert check_figures(['mIoU', 'VC8'])
    assert not check_figures(['mIoU', 'aAcc'])
    with pytest.raises(ValueError, match="'IoU': choose of mIoU"):
        check_figures(['IoU'])


def test_a_checkpoint_may_stand_behind_options():
    args = parse_args(['a.py', '--stream', 'b.pth'])
    assert (args.config, args.checkpoint) == ('a.py', 'b.pth')
    assert parse_args(['a.py', '--stream']).checkpoint is None
