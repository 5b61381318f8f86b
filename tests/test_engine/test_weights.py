"""Nothing in a checkpoint runs."""

import builtins
import collections
import enum
import os
import pickle
import subprocess
import zipfile

import numpy as np
import pytest
import torch
from mmengine import ConfigDict
from mmengine.logging import HistoryBuffer
from mmengine.runner import Runner
from mmengine.runner.checkpoint import CheckpointLoader, load_checkpoint

from mmseg_video.apis import VideoSegInferencer
from mmseg_video.engine.checkpoints import find_last_checkpoint
from mmseg_video.engine.plain import restore_histories, to_plain
from mmseg_video.engine.pretrained import fetch
from mmseg_video.engine.weights import TRUST, read_checkpoint
from mmseg_video.flow.estimators import RAFTFlow
from tests.models import FRAMEWISE, build
from tests.runs import config


class Attack:
    """What pickle calls when it loads this."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def attacks(mark):
    """Calls that leave the file ``mark``."""
    code = f'open({str(mark)!r}, "w").close()'
    return {
        'os.system': Attack(os.system, f'touch {mark}'),
        'exec': Attack(exec, code),
        'eval': Attack(eval, code),
        'subprocess': Attack(subprocess.call, ['touch', str(mark)]),
        'open': Attack(open, str(mark), 'w'),
        'getattr': Attack(
            getattr, Attack(builtins.__import__, 'os'), 'system'
        ),
        'import': Attack(builtins.__import__, 'this'),
        'pickle.loads': Attack(pickle.loads, pickle.dumps(Attack(exec, code))),
        'torch.load': Attack(torch.load, str(mark)),
        'numpy.load': Attack(np.load, str(mark), None, True),
    }


PLACES = {
    'whole': lambda attack: attack,
    'state_dict': lambda attack: dict(state_dict=dict(weight=attack)),
    'meta': lambda attack: dict(meta=dict(x=attack), state_dict={}),
    'optimizer': lambda attack: dict(
        meta={}, state_dict={}, optimizer=attack, message_hub={}
    ),
}


@pytest.fixture
def mark(tmp_path):
    path = tmp_path / 'ran'
    yield path
    assert not path.exists()


@pytest.mark.parametrize('new', [True, False])
def test_no_reader_runs_an_attack(new, mark, tmp_path):
    """As zip and as the pickle of before PyTorch 1.6."""
    path = str(tmp_path / 'iter_1.pth')
    for attack in attacks(mark).values():
        for place in PLACES.values():
            content = place(attack)
            torch.save(content, path, _use_new_zipfile_serialization=new)
            with pytest.raises(ValueError, match='would run as a program'):
                read_checkpoint(path)
            assert not mark.exists()
        for load in (
            CheckpointLoader.load_checkpoint,
            lambda path: load_checkpoint(torch.nn.Linear(1, 1), path),
            fetch,
            lambda path: find_last_checkpoint(tmp_path),
        ):
            with pytest.raises(ValueError, match=r'program|damaged'):
                load(path)
            assert not mark.exists()


def test_the_ways_in(mark, root, recurrent, tmp_path):
    path = tmp_path / 'x.pth'
    torch.save(PLACES['meta'](attacks(mark)['exec']), path)

    def start(**changes):
        cfg = config('unet', root, tmp_path / 'run', **changes)
        Runner.from_cfg(cfg).train()

    pretrained = dict(type='Pretrained', checkpoint=str(path))
    for enter in (
        lambda: RAFTFlow(size='small', weights=str(path)),
        lambda: VideoSegInferencer(
            str(recurrent / 'rnn_unet_street.py'), str(path)
        ),
        lambda: start(load_from=str(path)),
        lambda: start(load_from=str(path), resume=True),
        lambda: start(**{'model.backbone.init_cfg': pretrained}),
    ):
        with pytest.raises(ValueError, match=r'as a program|as data'):
            enter()
        assert not mark.exists()


def test_a_config_in_a_checkpoint_is_no_program(
    mark, framewise, root, tmp_path
):
    """MMEngine runs ``meta['config']`` where a training is resumed."""
    loaded = torch.load(framewise / 'iter_2.pth')
    loaded['meta']['config'] = f'open({str(mark)!r}, "w").close()'
    path = str(tmp_path / 'iter_2.pth')
    torch.save(loaded, path)
    cfg = config('unet', root, tmp_path, load_from=path, resume=True)
    Runner.from_cfg(cfg).train()


def test_trust_lets_it_run(tmp_path, monkeypatch):
    mark, path = tmp_path / 'ran', tmp_path / 'x.pth'
    torch.save(attacks(mark)['exec'], path)
    monkeypatch.setenv(TRUST, '1')
    read_checkpoint(path)
    assert mark.exists()


def test_a_flipped_bit_is_an_error(tmp_path):
    path = tmp_path / 'x.pth'
    torch.save(dict(weight=torch.zeros(1000)), path)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        part = next(i for i in archive.infolist() if i.file_size == 4000)
    content[part.header_offset + 500] ^= 4
    path.write_bytes(content)
    assert torch.load(path)['weight'].any()  # PyTorch does not look
    with pytest.raises(ValueError, match=r"x\.pth' is damaged \(the checksum"):
        read_checkpoint(path)


def test_what_mmengine_and_numpy_write_is_read(tmp_path):
    history = HistoryBuffer([1.0, 2.0], [1, 1])
    content = dict(
        state_dict=build(FRAMEWISE).state_dict(),
        meta=dict(palette=np.arange(6).reshape(2, 3), best=np.float32(0.5)),
        message_hub=dict(log_scalars={'train/loss': history}),
    )
    torch.save(content, tmp_path / 'x.pth')
    loaded = read_checkpoint(tmp_path / 'x.pth')
    assert loaded['meta']['palette'].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert loaded['message_hub']['log_scalars']['train/loss'].mean() == 1.5


def test_ours_hold_data_alone(recurrent):
    """Nothing on PyTorch's list of allowed classes is ours."""
    assert not torch.serialization.get_unsafe_globals_in_checkpoint(
        recurrent / 'iter_2.pth'
    )


def test_plain_and_back(caplog):
    hub = dict(
        log_scalars=dict(a=HistoryBuffer([1.5, 2.5], [1, 2], 10)),
        queue=collections.deque([np.int64(3)]),
        strange=object(),
    )
    plain = to_plain(hub)
    assert plain['queue'] == [3]
    assert 'strange' not in plain
    restore_histories(plain)
    values, counts = plain['log_scalars']['a'].data
    assert values.tolist() == [1.5, 2.5]
    assert counts.tolist() == [1, 2]
    weights = torch.nn.BatchNorm2d(2).state_dict()
    assert to_plain(weights)._metadata == weights._metadata


class OnGPU:
    """A tensor in a GPU's memory, as far as this machine can have one."""

    def __init__(self, values):
        self._values = values

    def numpy(self):
        raise TypeError("can't convert cuda:0 device type tensor to numpy")

    def cpu(self):
        return self._values


def test_histories_that_were_read_into_a_gpus_memory():
    plain = to_plain(dict(log_scalars=dict(a=HistoryBuffer([1.5], [1], 10))))
    kept = plain['log_scalars']['a']
    for key in ('log_history', 'count_history'):
        kept[key] = OnGPU(kept[key])
    restore_histories(plain)
    assert plain['log_scalars']['a'].data[0].tolist() == [1.5]


class Kind(enum.IntEnum):
    ONE = 1


class Word(enum.StrEnum):
    ONE = 'one'


@pytest.mark.parametrize(
    ('value', 'plain'),
    [
        (ConfigDict(), {}),
        (collections.defaultdict(list), {}),
        (ConfigDict(a=torch.ones(1)), {'a': torch.ones(1)}),
        (Kind.ONE, 1),
        (Word.ONE, 'one'),
    ],
)
def test_what_is_like_data_is_written_as_data(value, plain, tmp_path):
    """Else the file could not be read, and the training not go on."""
    path = tmp_path / 'x.pth'
    torch.save(to_plain(dict(state_dict={}, meta=dict(x=value))), path)
    assert read_checkpoint(path)['meta']['x'] == plain


def test_two_addresses_may_end_in_one_name(tmp_path, monkeypatch):
    fetched = []

    def download(address, path, progress):
        fetched.append(address)
        torch.save(dict(state_dict=dict(w=torch.tensor(len(fetched)))), path)

    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, 'download_url_to_file', download)
    addresses = [f'https://x/{name}/model.pth' for name in ('a', 'b', 'a')]
    loaded = [CheckpointLoader.load_checkpoint(a) for a in addresses]
    assert [int(c['state_dict']['w']) for c in loaded] == [1, 2, 1]
    assert fetched == addresses[:2]
