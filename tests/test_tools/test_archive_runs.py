"""Runs are packed without weights, without the folders of the machine."""

import sys
import tarfile
from pathlib import Path

from tests.commands import ROOT, TOOLS, call_here

TOOL = TOOLS / 'dev/archive_runs.py'
UNPACK = TOOLS / 'dev/unpack_runs.py'
LOG = 'runs/unet_seed0_12/train.log'
LEFT = {
    'costs/ab.json': '{}',
    LOG: f'$ {sys.prefix}/bin/python {ROOT}/tools/train.py /x{ROOT}/a.py\n',
    'runs/unet_seed0_12/train.done': '{}',
    'runs/unet_seed0_12/config.py': 'model = dict()\n',
    'runs/unet_seed0_12/train/iter_4.pth': 'weights',
    'runs/unet_seed0_12/train/20260101/vis_data/scalars.json': '{}',
    'runs/unet_seed0_12/train/20260101/vis_data/events.out.1': 'events',
    'runs/unet_seed0_12/test_stream_34/test_stream.json': '{}',
    'runs/unet_seed0_12/test_stream_34/IoU.sequences.json': '[]',
    'spec/table.csv': 'a,b\n',
}


def make_runs(folder: Path) -> Path:
    for name, text in LEFT.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    link = folder / 'spec/unet/seed0'
    link.parent.mkdir()
    link.symlink_to('../../runs/unet_seed0_12')
    return folder


def test_all_but_weights_and_events(tmp_path):
    folders = [make_runs(tmp_path / name) for name in ('seed0', 'seed1')]
    packed = tmp_path / 'out/runs.tar.xz'
    assert call_here(TOOL, *folders, '--out', packed) == 0
    with tarfile.open(packed) as archive:
        names = {member.name for member in archive}
        assert {m.uid for m in archive} == {0}
    kept = {n for n in LEFT if not n.endswith(('.pth', '.1'))}
    assert names == {
        f'{seed}/{name}'
        for seed in ('seed0', 'seed1')
        for name in {*kept, 'spec/unet/seed0'}
    }
    assert call_here(UNPACK, packed, tmp_path / 'again') == 0
    again = tmp_path / 'again/seed1'
    name = Path(sys.prefix).name
    # A folder within another path is no folder of this machine.
    log = f'$ {name}/bin/python tools/train.py /x{ROOT}/a.py\n'
    assert (again / LOG).read_text() == log
    assert (again / 'spec/unet/seed0/train.log').read_text() == log


def test_what_cannot_be_packed(tmp_path, capsys):
    runs = make_runs(tmp_path / 'a/seed0')
    other = make_runs(tmp_path / 'b/seed0')
    out = tmp_path / 'runs.tar.xz'
    for folders, sentence in (
        ([tmp_path / 'a'], 'holds no runs of tools/ablate.py'),
        ([runs, other], 'folders need names of their own: seed0, seed0'),
    ):
        assert call_here(TOOL, *folders, '--out', out) == 2
        assert sentence in capsys.readouterr().err
    assert not out.exists()


def test_other_runs_are_left_as_they_are(tmp_path, capsys):
    packed = tmp_path / 'runs.tar.xz'
    assert call_here(TOOL, make_runs(tmp_path / 'seed0'), '--out', packed) == 0
    own = make_runs(tmp_path / 'own/seed0') / LOG
    own.write_text('mine\n')
    assert call_here(UNPACK, packed, tmp_path / 'own') == 1
    assert 'holds other runs: name another' in capsys.readouterr().err
    assert own.read_text() == 'mine\n'
    # What it has unpacked itself it unpacks again.
    for _ in range(2):
        assert call_here(UNPACK, packed, tmp_path / 'new') == 0
