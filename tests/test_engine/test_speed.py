"""Sooner, but the same."""

import copy
import functools

import pytest
import torch
from mmengine import Config

from mmseg_video.engine.speed import speed_settings, speed_up
from tests.commands import ROOT
from tests.models import FRAMEWISE, RECURRENT, build, wake

FINAL_RNN = dict(RECURRENT, final_rnn=dict(connection='residual'))


@torch.no_grad()
def logits(model, clips):
    return model.predict(clips)[0].seg_logits.data


@pytest.mark.parametrize('cfg', [FRAMEWISE, RECURRENT, FINAL_RNN])
@pytest.mark.parametrize(
    'settings', [dict(channels_last=True), dict(compile=True)]
)
def test_speed_changes_no_prediction(cfg, settings, monkeypatch):
    # Traced like any backend, but without the minute that C++ takes.
    eager = functools.partial(torch.compile, backend='eager')
    monkeypatch.setattr(torch, 'compile', eager)
    plain = wake(build(cfg))
    fast = copy.deepcopy(plain)
    speed_up(fast, **settings)
    assert list(fast.state_dict()) == list(plain.state_dict())
    frames = 3 if hasattr(plain, 'step') else 1
    clips = torch.randn(1, frames, 3, 64, 96)
    if not hasattr(plain, 'step'):
        clips = clips[:, 0]
    wanted = logits(plain, clips)
    torch.testing.assert_close(logits(fast, clips), wanted)
    if hasattr(plain, 'step'):
        states = None
        for frame in clips.unbind(1):
            with torch.no_grad():
                scores, states = fast.step(frame, states)
        torch.testing.assert_close(scores[0], wanted)


def test_channels_last_reaches_the_convolutions():
    model = build(RECURRENT)
    speed_up(model, channels_last=True)
    weight = model.backbone.layer1[0].conv1.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)


def test_every_part_is_compiled(monkeypatch):
    compiled = []
    monkeypatch.setattr(torch, 'compile', lambda f: compiled.append(f) or f)
    model = build(RECURRENT)
    speed_up(model, compile=True)
    owners = [function.__self__ for function in compiled]
    assert owners == [model.backbone, model.neck, model.decode_head]


def test_no_compiler_is_one_sentence(monkeypatch):
    monkeypatch.setenv('CXX', 'no-such-compiler')
    with pytest.raises(RuntimeError, match="'no-such-compiler' is not there"):
        speed_up(build(FRAMEWISE), compile=True)


def test_the_config_says_how_fast():
    cfg = Config.fromfile(ROOT / 'configs/rnn_unet_cityscapes.py')
    cfg.merge_from_dict({'default_hooks.speed.compile': True})
    assert speed_settings(cfg)['compile'] is True
    assert speed_settings(Config(dict())) == {}
