"""The published weights: small, whole, described, and they work."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from mmseg_video.apis import VideoSegInferencer
from mmseg_video.engine.weights import read_checkpoint

FOLDER = Path(__file__).parents[1] / 'work_dirs/checkpoints'
PUBLISHED = sorted(FOLDER.glob('*.pth'))
CARDS = (FOLDER / 'README.md').read_text().split('\n## ')


def test_there_are_some_and_they_are_small():
    assert PUBLISHED
    assert sum(path.stat().st_size for path in PUBLISHED) < 40 * 2**20


@pytest.mark.parametrize('path', PUBLISHED, ids=lambda path: path.stem)
def test_each_is_what_its_card_says(path):
    (card,) = (c for c in CARDS if c.startswith(path.name))
    assert hashlib.sha256(path.read_bytes()).hexdigest() in card
    assert 'terms of the data' in card
    assert set(read_checkpoint(path)) == {'meta', 'state_dict'}


@pytest.mark.parametrize('path', PUBLISHED, ids=lambda path: path.stem)
def test_each_is_found_by_the_name_of_its_config(path):
    net = VideoSegInferencer(path.stem, device='cpu')
    label = net.predict_frame(np.zeros((64, 96, 3), np.uint8)).label
    assert label.max() < len(net.classes)
