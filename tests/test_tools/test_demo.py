"""demo/video_demo.py, on a video made here."""

import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from mmseg_video.datasets.street_scenes import StreetScene
from mmseg_video.visualization import VideoWriter
from tests.commands import ROOT, call


@pytest.fixture(scope='module')
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp('video') / 'street scene.mp4'
    scene = StreetScene(0, 'val', 0, 64, 128)
    with VideoWriter(path, 20) as writer:
        for t in range(6):
            writer.write(scene.frame(t)[0])
    return path


def demo(source, run, out, *arguments):
    return call(
        *(sys.executable, ROOT / 'demo/video_demo.py', source),
        *('--config', run / 'rnn_unet_street.py'),
        *('--checkpoint', run / 'iter_2.pth', '--out', out, *arguments),
    )


def test_video_beside_its_baseline(video, recurrent, framewise, tmp_path):
    out = tmp_path / 'out.mp4'
    baseline = (framewise / 'unet_street.py', framewise / 'iter_2.pth')
    code, output = demo(
        *(video, recurrent, out, '--baseline', *baseline),
        *('--panel-width', 320),
    )
    assert code == 0, output[-2000:]
    written = cv2.VideoCapture(str(out))
    assert written.get(cv2.CAP_PROP_FRAME_COUNT) == 6
    assert written.get(cv2.CAP_PROP_FPS) == 20
    assert written.get(cv2.CAP_PROP_FRAME_WIDTH) == 3 * 320 + 2 * 4
    for part in ('decode', 'model', 'draw and write'):
        assert f'{part} ' in output


def test_folder_of_frames_to_gif(recurrent, tmp_path):
    frames = tmp_path / 'frames'
    frames.mkdir()
    for i in range(3):
        img = np.full((64, 128, 3), 60 * i, np.uint8)
        cv2.imwrite(str(frames / f'{i}.png'), img)
    out = tmp_path / 'out.gif'
    code, output = demo(frames, recurrent, out, '--max-frames', 2)
    assert code == 0, output[-2000:]
    assert Image.open(out).n_frames == 2


def test_a_video_that_cannot_be_opened(recurrent, tmp_path):
    broken = tmp_path / 'broken.mp4'
    broken.write_bytes(b'none')
    code, output = demo(broken, recurrent, tmp_path / 'out.gif')
    assert code == 1
    last = output.strip().splitlines()[-1]
    assert last.startswith(f"error: the video '{broken}' cannot be opened")
    assert not (tmp_path / 'out.gif').exists()
