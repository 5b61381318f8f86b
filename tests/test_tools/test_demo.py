"""demo/video_demo.py, on a video made here."""

import signal
import subprocess
import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from mmseg_video.datasets.street_scenes import StreetScene
from mmseg_video.io.writers import VideoWriter
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


def test_ctrl_c_ends_the_video_that_is_written(recurrent, tmp_path):
    frames = tmp_path / 'frames'
    frames.mkdir()
    first = frames / '0000.png'
    cv2.imwrite(str(first), np.zeros((64, 128, 3), np.uint8))
    for i in range(1, 3000):
        (frames / f'{i:04d}.png').symlink_to(first)
    out = tmp_path / 'out.mp4'
    command = [
        *(sys.executable, ROOT / 'demo/video_demo.py', frames, '--out', out),
        *('--config', recurrent / 'rnn_unet_street.py'),
        *('--checkpoint', recurrent / 'iter_2.pth', '--panel-width', 64),
    ]
    process = subprocess.Popen(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # As a shell leaves it: jobs in the background ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.default_int_handler
        ),
    )
    for line in process.stderr:
        if '/3000 [' in line and ' 0/3000' not in line:
            break
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors[-2000:]
    written = cv2.VideoCapture(str(out)).get(cv2.CAP_PROP_FRAME_COUNT)
    assert 0 < written < 3000
    assert f'{written:.0f} frames; frames/s' in output


def test_arguments_out_of_range(tmp_path):
    for option in (['--resize', 0, 0], ['--panel-width', 0]):
        code, output = demo('in.mp4', tmp_path, tmp_path / 'o.gif', *option)
        assert code == 2
        assert 'must be >= 32, got 0' in output.strip().splitlines()[-1]


def test_a_video_that_cannot_be_opened(recurrent, tmp_path):
    broken = tmp_path / 'broken.mp4'
    broken.write_bytes(b'none')
    code, output = demo(broken, recurrent, tmp_path / 'out.gif')
    assert code == 1
    last = output.strip().splitlines()[-1]
    assert last.startswith(f"error: the video '{broken}' cannot be opened")
    assert not (tmp_path / 'out.gif').exists()
