import os

import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

import mmseg_video.engine.registration  # noqa: F401
from tests.commands import call_here
from tests.runs import config, scenes

torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', 2)))


# Of half a minute and more: last, one would run while the other core rests.
LONG = ('test_quickstart', 'test_onnx', 'test_distributed', 'test_compare')


def pytest_collection_modifyitems(items):
    """Long tests begin, the others keep their order."""
    items.sort(key=lambda item: item.path.stem not in LONG)


@pytest.fixture(autouse=True, scope='session')
def _configs_are_written_unformatted():
    """MMEngine lays out the text of a config for each log, logger and
    checkpoint: eight times, and most of a tiny training's time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            'yapf.yapflib.yapf_api.FormatCode', lambda text, **_: (text, True)
        )
        yield


@pytest.fixture(autouse=True)
def _mmseg_scope():
    init_default_scope('mmseg')


@pytest.fixture(autouse=True)
def _environment_stays():
    """What a test's own call sets, such as the rank of a process that SLURM
    started, would make the next test one of several processes."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture
def run_tool(capfd):
    """Runs a tool of ours here; its exit status and output."""

    def run(path, *arguments):
        capfd.readouterr()
        code = call_here(path, *arguments)
        return code, ''.join(capfd.readouterr())

    return run


@pytest.fixture(scope='session')
def root(tmp_path_factory):
    """Tiny street scenes."""
    return scenes(tmp_path_factory.mktemp('scenes'))


@pytest.fixture(scope='session')
def framewise(root, tmp_path_factory):
    """The work dir of a tiny framewise training: its config too."""
    work_dir = tmp_path_factory.mktemp('unet')
    Runner.from_cfg(config('unet', root, work_dir)).train()
    return work_dir


@pytest.fixture(scope='session')
def recurrent(root, framewise, tmp_path_factory):
    """The work dir of a tiny recurrent training that starts from it."""
    work_dir = tmp_path_factory.mktemp('rnn_unet')
    load_from = str(framewise / 'iter_2.pth')
    cfg = config('rnn_unet', root, work_dir, load_from=load_from)
    Runner.from_cfg(cfg).train()
    return work_dir


@pytest.fixture(scope='session')
def awake(recurrent):
    """A checkpoint of that model whose past matters: two iterations leave
    the zero-initialised projections close to zero."""
    checkpoint = torch.load(recurrent / 'iter_2.pth', weights_only=False)
    torch.manual_seed(1)
    for name, value in checkpoint['state_dict'].items():
        if '.proj.' in name:
            value.normal_(std=0.5)
    torch.save(checkpoint, recurrent / 'awake.pth')
    return recurrent / 'awake.pth'
