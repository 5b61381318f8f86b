"""The published weights: small, whole, described, and they work."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import yaml

from mmseg_video.apis import VideoSegInferencer
from mmseg_video.engine.published import find_checkpoint, weights_of
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


CAMVID = [path for path in PUBLISHED if 'camvid' in path.stem]


@pytest.mark.parametrize('path', CAMVID, ids=lambda path: path.stem)
def test_what_was_trained_on_camvid_is_not_for_commerce(path):
    (card,) = (c for c in CARDS if c.startswith(path.name))
    (terms,) = (line for line in card.splitlines() if 'terms of the' in line)
    assert 'CC BY-NC' in terms
    assert 'non-commercial' in terms


@pytest.mark.parametrize('path', PUBLISHED, ids=lambda path: path.stem)
def test_each_is_found_whole(path):
    assert Path(find_checkpoint(None, path.stem)).samefile(path)


def test_each_hash_is_in_a_metafile():
    """Or find_checkpoint has nothing to compare with."""
    text = '\n'.join(
        metafile.read_text()
        for metafile in FOLDER.parents[1].glob('configs/**/metafile.yml')
    )
    for path in PUBLISHED:
        assert hashlib.sha256(path.read_bytes()).hexdigest() in text


@pytest.fixture
def clone(tmp_path):
    """A folder with one config, and weights that are not the published."""
    config = Path('configs/unet_street.py')
    (tmp_path / 'configs').mkdir()
    (tmp_path / config).symlink_to(FOLDER.parents[1] / config)
    model = dict(
        Config=str(config),
        Weights='unet.pth',
        Metadata={'SHA-256': hashlib.sha256(b'published').hexdigest()},
    )
    text = yaml.safe_dump(dict(Models=[model]))
    (tmp_path / 'configs/metafile.yml').write_text(text)
    (tmp_path / 'unet.pth').write_bytes(b'published')
    return tmp_path


def test_weights_with_another_hash_are_refused(clone):
    found = find_checkpoint(None, 'unet_street', clone)
    assert found == str(clone / 'unet.pth')
    (clone / 'unet.pth').write_bytes(b'changed')
    with pytest.raises(ValueError, match='not what was published') as error:
        find_checkpoint(None, 'unet_street', clone)
    assert 'git checkout -- unet.pth' in str(error.value)
    assert '\n' not in str(error.value)
    # One's own file is one's own business.
    assert find_checkpoint('own.pth', 'unet_street', clone) == 'own.pth'


def test_a_name_stands_for_published_weights(tmp_path, monkeypatch):
    assert weights_of('unet_street') == find_checkpoint(None, 'unet_street')
    assert (
        weights_of('https://a.org/unet_street') == 'https://a.org/unet_street'
    )
    with pytest.raises(
        ValueError, match="published for 'rnn_unet_cityscapes'"
    ):
        weights_of('rnn_unet_cityscapes')
    # A file of one's own has the same name.
    monkeypatch.chdir(tmp_path)
    Path('unet_street').touch()
    assert weights_of('unet_street') == 'unet_street'


def test_the_path_of_a_config_is_told_by_its_name():
    path = FOLDER.parents[1] / 'configs/unet_cityscapes.py'
    with pytest.raises(ValueError, match=r'-video train unet_cityscapes\)'):
        find_checkpoint(None, str(path))
