"""demo/app.py: the page is built, and its button segments a video."""

import importlib.util
import sys
from argparse import Namespace

import cv2
import pytest

from mmseg_video.apis import VideoSegInferencer
from tests.commands import ROOT


@pytest.fixture(scope='module')
def app():
    spec = importlib.util.spec_from_file_location('app', ROOT / 'demo/app.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ARGS = Namespace(size=(64, 128), max_frames=5)


def test_the_button_segments_a_sample(app, recurrent, framewise, tmp_path):
    models = dict(
        framewise=VideoSegInferencer(
            str(framewise / 'unet_street.py'), str(framewise / 'iter_2.pth')
        ),
        recurrent=VideoSegInferencer(
            str(recurrent / 'rnn_unet_street.py'),
            str(recurrent / 'iter_2.pth'),
        ),
    )
    sample = app.draw_sample(tmp_path, (64, 128))
    page, _ = app.build_page(models, [sample], ARGS, tmp_path)
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


def test_without_gradio_it_says_what_to_install(app, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'gradio', None)
    with pytest.raises(
        RuntimeError, match=r"pip install 'mmseg-video\[app\]'"
    ):
        app.build_page({}, [], ARGS, tmp_path)
