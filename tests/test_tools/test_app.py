"""The web page is built, and its button segments a video; demo/app.py."""

import sys

import cv2
import pytest

from mmseg_video.apis import VideoSegInferencer
from mmseg_video.apis.web_page import NetChoice, build_page, draw_sample
from mmseg_video.models import CallableNet
from tests.bright import CLASSES, brightness
from tests.commands import ROOT, call


def test_the_button_segments_a_sample(recurrent, framewise, tmp_path):
    models = dict(
        framewise=VideoSegInferencer(
            str(framewise / 'unet_street.py'), str(framewise / 'iter_2.pth')
        ),
        recurrent=VideoSegInferencer(
            str(recurrent / 'rnn_unet_street.py'),
            str(recurrent / 'iter_2.pth'),
        ),
    )
    sample = draw_sample(tmp_path, (64, 128))
    page, _ = build_page(lambda: models, [sample], tmp_path, 5, (64, 128))
    (click,) = (f for f in page.fns.values() if f.name == 'clicked')
    video, table, figure = click.fn(sample)
    assert cv2.VideoCapture(video).get(cv2.CAP_PROP_FRAME_COUNT) == 5
    assert [line.split(' ')[1] for line in table.splitlines()[2:]] == [
        'framewise',
        'recurrent',
    ]
    assert [len(line.get_xdata()) for line in figure.axes[0].lines] == [4, 4]
    with pytest.raises(Exception, match='choose a video first'):
        click.fn(None)
    broken = tmp_path / 'broken.mp4'
    broken.write_bytes(b'no video')
    with pytest.raises(Exception, match='cannot be opened'):
        click.fn(str(broken))


def test_a_net_a_filter_and_how_often_it_runs_are_chosen(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(
        'mmseg_video.apis.web_page.open_net',
        lambda name: CallableNet(brightness, CLASSES, stride=8),
    )
    sample = draw_sample(tmp_path, (64, 128))
    choose = NetChoice(['net-a', 'net-b'], 'cpu')
    page, _ = build_page(
        choose, [sample], tmp_path, 4, (64, 128), choose.names
    )
    (click,) = (f for f in page.fns.values() if f.name == 'clicked')
    assert len(click.inputs) == 4
    _, table, _ = click.fn(sample, 'net-b', 'place', 3)
    captions = [line.split(' | ')[0] for line in table.splitlines()[2:]]
    assert captions == ['| net alone', '| place, every 3']
    with pytest.raises(Exception, match='answer'):
        click.fn(sample, 'net-a', 'none', 3)


def test_without_gradio_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'gradio', None)
    with pytest.raises(
        RuntimeError, match=r"pip install 'mmseg-video\[app\]'"
    ):
        build_page(dict, [], tmp_path)


def test_a_sample_that_cannot_be_opened_is_told_at_the_start(tmp_path):
    code, output = call(
        *(sys.executable, ROOT / 'demo/app.py', '--config', 'none.py'),
        *('--checkpoint', 'none.pth', '--samples', tmp_path / 'none.mp4'),
    )
    assert code == 1
    assert output.strip().splitlines()[-1].startswith('error: no video, image')
