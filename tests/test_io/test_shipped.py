"""Names of configs and specs become paths."""

import pytest

from mmseg_video.engine.launch import load_config
from mmseg_video.engine.published import find_checkpoint
from mmseg_video.io.nearest import close_to
from mmseg_video.io.shipped import (
    ROOT,
    config_paths,
    find_config,
    find_spec,
    shipped,
)

STREET = ROOT / 'configs/rnn_unet_street.py'


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """No clone around."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    'text',
    ['rnn_unet_street', 'rnn_unet_street.py', 'configs/rnn_unet_street.py'],
)
def test_a_name_is_a_config_of_the_package(text):
    assert find_config(text) == str(STREET)


def test_a_file_that_exists_comes_first(tmp_path):
    (tmp_path / 'rnn_unet_street.py').write_text('a, model = 1, dict()')
    assert find_config('rnn_unet_street.py') == 'rnn_unet_street.py'
    assert load_config('rnn_unet_street.py').a == 1
    assert find_config('rnn_unet_street') == str(STREET)


@pytest.mark.parametrize(
    'text',
    ['rnn_unet_steet', 'mine/rnn_unet_street.py', 'configs/rnn_unet_steet.py'],
)
def test_an_unknown_name_is_one_sentence_with_the_nearest(text):
    with pytest.raises(FileNotFoundError, match='close to it are rnn_unet_st'):
        find_config(text)


def test_bases_are_no_configs():
    assert not any('_base_' in path.parts for path in config_paths().values())
    with pytest.raises(FileNotFoundError, match="no config 'default_runtime'"):
        find_config('default_runtime')


def test_a_folder_above_the_package_is_not_looked_at():
    assert shipped('configs/../setup.cfg') is None


def test_specs_have_names_too():
    path = ROOT / 'configs/ablations/cells_and_connections.yml'
    assert find_spec('cells_and_connections') == str(path)
    for text in ('cells_and_conections', 'cells', 'connections'):
        with pytest.raises(FileNotFoundError, match='cells_and_connections'):
            find_spec(text)


def test_names_that_begin_with_what_is_typed_come_first():
    names = ['my_cells', 'cell', 'cells_and_more', 'calls', 'cells_b', 'other']
    assert close_to('cells', names) == (
        '; close to it are cells_b, cells_and_more, my_cells'
    )
    assert close_to('ce', ['other_face', 'cell']) == '; close to it are cell'


@pytest.fixture
def zoo(tmp_path):
    """A package whose configs have weights at an address, none, in a file."""
    (tmp_path / 'configs').mkdir()
    for name in ('a', 'b', 'c'):
        (tmp_path / f'configs/{name}.py').write_text('')
    (tmp_path / 'configs/metafile.yml').write_text(
        'Models:\n'
        '  - {Name: a, Config: configs/a.py, Weights: "https://x/a.pth"}\n'
        '  - {Name: b, Config: configs/b.py}\n'
        '  - {Name: c, Config: configs/c.py, Weights: work_dirs/c.pth}\n'
    )
    return tmp_path


def test_a_metafile_names_the_weights(zoo):
    assert find_checkpoint(None, 'configs/a.py', zoo) == 'https://x/a.pth'
    assert find_checkpoint('own.pth', 'configs/a.py', zoo) == 'own.pth'
    with pytest.raises(ValueError, match=r"published for 'b': train it"):
        find_checkpoint(None, 'configs/b.py', zoo)


def test_weights_that_come_with_the_package(zoo):
    with pytest.raises(FileNotFoundError, match='install the package again'):
        find_checkpoint(None, 'configs/c.py', zoo)
    (zoo / 'work_dirs').mkdir()
    (zoo / 'work_dirs/c.pth').touch()
    found = find_checkpoint(None, 'configs/c.py', zoo)
    assert found == str(zoo / 'work_dirs/c.pth')
