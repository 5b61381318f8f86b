"""Whatever is raised becomes one sentence."""

import cv2
import numpy as np
import pytest
import torch

from mmseg_video.engine.launch import cli, load_config


def too_much_opencv():
    np_frame = np.zeros((1, 1), np.uint8)
    cv2.resize(np_frame, (2**30, 2**30))


def too_much_numpy():
    np.zeros(2**60, np.uint8)


def too_much_torch():
    torch.zeros(2**50)


def said(raises, capfd, monkeypatch):
    monkeypatch.delenv('MMSEG_VIDEO_DEBUG', raising=False)
    with pytest.raises(SystemExit) as end:
        cli(raises)()
    assert end.value.code == 1
    (line,) = capfd.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(
    'raises', [too_much_opencv, too_much_numpy, too_much_torch]
)
def test_memory_that_is_not_there(raises, capfd, monkeypatch):
    line = said(raises, capfd, monkeypatch)
    assert line.startswith('error: there is not enough memory (')
    assert 'DEBUG' not in line


@pytest.mark.parametrize('below', ['', 'a/b'])
def test_a_file_in_the_place_of_a_folder(below, tmp_path, capfd, monkeypatch):
    path = tmp_path / 'file'
    path.touch()

    def make():
        (path / below).mkdir(parents=True)

    line = said(make, capfd, monkeypatch)
    assert line.startswith(f"error: '{path}")
    assert 'where a folder is to be' in line


def test_a_key_without_words_names_its_place(capfd, monkeypatch):
    line = said(lambda: {}['a'], capfd, monkeypatch)
    assert line.startswith('error: KeyError: a (test_launch.py, line ')
    assert line.endswith('MMSEG_VIDEO_DEBUG=1 to see more')


def test_no_workers_need_not_persist():
    def persist(workers):
        options = {'train_dataloader.num_workers': workers}
        return load_config('unet_street', options).train_dataloader

    assert persist(2).persistent_workers
    assert not persist(0).persistent_workers
