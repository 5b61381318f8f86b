"""The wheel: what it holds, and that it works outside a clone."""

import re
import shutil
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from email import message_from_bytes
from pathlib import Path

import pytest
import yaml

from mmseg_video.version import __version__

ROOT = Path(__file__).parents[1]
SOURCES = (
    *('setup.py', 'setup.cfg', 'pyproject.toml', 'MANIFEST.in', 'README.md'),
    *('LICENSE', 'model-index.yml', 'mmseg_video', 'configs', 'tools', 'demo'),
    'work_dirs/checkpoints',
)
USE = """
from mmseg_video.engine.launch import load_config
from mmseg_video.engine.published import find_checkpoint
from mmseg_video.io.shipped import ROOT, find_spec
cfg = load_config('rnn_unet_street')
assert '.mim' in cfg.filename and cfg.model.type == 'RecurrentUNet'
assert load_config('configs/unet_street.py').model.type == 'EncoderDecoder'
find_spec('cells_and_connections')
assert (ROOT / 'tools/train.py').is_file()
assert '.mim' in find_checkpoint(None, 'unet_street')
"""


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """Built without a network from a copy, which a build leaves files in."""
    copy = tmp_path_factory.mktemp('copy')
    for name in SOURCES:
        if (ROOT / name).is_dir():
            skip = shutil.ignore_patterns('__pycache__')
            shutil.copytree(ROOT / name, copy / name, ignore=skip)
        else:
            shutil.copy(ROOT / name, copy)
    # What an earlier build left is not to come along.
    old = copy / 'build/lib/mmseg_video/.mim/configs/gone.py'
    old.parent.mkdir(parents=True)
    old.touch()
    call = [sys.executable, '-m', 'pip', 'wheel', '--no-deps', '-q']
    call += ['--no-build-isolation', '-w', str(copy / 'dist'), str(copy)]
    done = subprocess.run(call, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    (path,) = copy.glob('dist/*.whl')
    return zipfile.ZipFile(path)


def names(wheel, folder):
    """Of the files below ``.mim/FOLDER``."""
    start = f'mmseg_video/.mim/{folder}/'
    return {
        name.removeprefix(start)
        for name in wheel.namelist()
        if name.startswith(start)
    }


def test_the_wheel_has_configs_tools_demos_and_the_index(wheel):
    for folder, pattern in (
        ('configs', '*.py'),
        ('configs', '*.yml'),
        ('demo', '*.py'),
    ):
        here = (ROOT / folder).rglob(pattern)
        here = {str(path.relative_to(ROOT / folder)) for path in here}
        assert here
        assert here <= names(wheel, folder)
    assert 'gone.py' not in names(wheel, 'configs')
    tools = names(wheel, 'tools')
    assert {'train.py', 'test.py', 'dist_train.sh', 'python.sh'} <= tools
    # These are about a clone.
    assert not {'env.sh', 'run_tests.sh', 'dev/mutate.py'} & tools
    for script in (name for name in tools if name.endswith('.sh')):
        text = wheel.read(f'mmseg_video/.mim/tools/{script}').decode()
        # "$TOOLS/train.py", and what is sourced from "$(dirname ...)/".
        called = set(re.findall(r'(?:\$TOOLS|\)"?)/([\w/]+\.(?:py|sh))', text))
        assert called <= tools, script
    files = wheel.namelist()
    assert 'mmseg_video/py.typed' in files
    assert 'mmseg_video/.mim/model-index.yml' in files
    assert not [name for name in files if name.startswith('tests')]


def test_the_wheel_has_the_published_weights_and_else_is_small(wheel):
    weights = ROOT / 'work_dirs/checkpoints'
    here = {path.name for path in weights.iterdir()}
    assert names(wheel, 'work_dirs/checkpoints') == here
    others = [f for f in wheel.infolist() if not f.filename.endswith('.pth')]
    assert sum(file.compress_size for file in others) < 2**20


def test_the_wheel_works_outside_the_clone(wheel, tmp_path):
    wheel.extractall(tmp_path / 'site')
    (tmp_path / 'empty').mkdir()
    subprocess.run(
        [sys.executable, '-c', USE],
        check=True,
        cwd=tmp_path / 'empty',
        env={'PYTHONPATH': str(tmp_path / 'site'), 'PATH': ''},
    )


def test_metadata_name_the_command_and_the_extras(wheel):
    (info,) = {n.split('/')[0] for n in wheel.namelist() if '.dist-info' in n}
    scripts = ConfigParser()
    scripts.read_string(wheel.read(f'{info}/entry_points.txt').decode())
    assert dict(scripts['console_scripts']) == {
        'mmseg-video': 'mmseg_video.cli.main:main'
    }
    metadata = message_from_bytes(wheel.read(f'{info}/METADATA'))
    extras = metadata.get_all('Provides-Extra')
    assert {'wandb', 'app', 'coco', 'export', 'test'} <= set(extras)
    # What only a clone could resolve.
    for requirement in metadata.get_all('Requires-Dist'):
        assert '@' not in requirement
        assert not requirement.startswith('mmseg')


def test_the_index_names_every_metafile():
    there = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / 'configs').rglob('metafile.yml')
    }
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    assert set(index['Import']) == there, 'fit model-index.yml to configs/'


def test_the_workflow_tests_what_setup_cfg_promises():
    setup = ConfigParser()
    setup.read(ROOT / 'setup.cfg')
    promised = re.findall(
        r'Python :: (3\.\d+)', setup['metadata']['classifiers']
    )
    jobs = yaml.safe_load((ROOT / '.github/workflows/test.yml').read_text())
    tested = jobs['jobs']['test']['strategy']['matrix']['include']
    assert [each['python'] for each in tested] == [promised[0], promised[-1]]
    assert setup['options']['python_requires'].startswith(f'>={promised[0]},')
    # A bound for every one: the lowest versions are tested.
    requires = setup['options']['install_requires'].split()
    assert all('>=' in requirement for requirement in requires)


def test_one_version_everywhere():
    citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text())
    assert citation['version'] == __version__
    assert f'## {__version__} ' in (ROOT / 'CHANGELOG.md').read_text()
