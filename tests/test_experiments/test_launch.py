"""The commands of each launcher, and what sets runs side by side apart."""

import sys
import threading

import pytest
import torch

from mmseg_video.experiments import Launcher, execute, visible_devices
from mmseg_video.experiments.follow import ToolError
from mmseg_video.experiments.perform import perform
from tests.commands import TOOLS
from tests.test_experiments.specs import CHECKPOINT, FRAMEWISE, plan
from tests.test_experiments.test_plan import do


@pytest.fixture
def stages(tmp_path):
    ours = plan(tmp_path, seeds=[0], protocols={'stream': ['flicker']})
    do(ours)
    return {stage.title: stage for stage in ours.stages}


def test_a_process(stages):
    launcher = Launcher(TOOLS)
    train = stages['gru, seed 0, train']
    assert launcher.command(train) == [
        *(sys.executable, str(TOOLS / 'train.py'), str(train.config)),
        *('--work-dir', str(train.work_dir), '--resume'),
    ]
    test = stages['gru, seed 0, stream']
    checkpoint = train.work_dir / 'iter_2.pth'
    assert launcher.command(test)[1:] == [
        *(str(TOOLS / 'test.py'), str(test.config), str(checkpoint)),
        *('--work-dir', str(test.work_dir), '--stream', '--temporal'),
    ]


def test_mixed_precision_is_another_training(tmp_path):
    plain, mixed = plan(tmp_path), plan(tmp_path, amp=True)
    launcher = Launcher(TOOLS)
    for stage, before in zip(mixed.stages, plain.stages, strict=True):
        assert stage.title == before.title
        assert stage.key != before.key
        assert launcher.command(stage).count('--amp') == 1
        assert '--amp' not in launcher.command(before)


TRAIN = """
import pathlib, sys, time
print('Iter(train) [1/2] loss: 0.5', flush=True)
folder = pathlib.Path(sys.argv[sys.argv.index('--work-dir') + 1])
if 'seed1' in str(folder):
    print('before'), print('error: in one sentence'), print('after')
    sys.exit(1)
import shutil
done = pathlib.Path(__file__).parent / 'done.pth'
shutil.copy(done, folder / 'iter_2.pth')
time.sleep(60 * (folder / 'wait').exists())
"""


def test_what_a_tool_says_goes_to_the_log(tmp_path):
    (tmp_path / 'train.py').write_text(TRAIN)
    torch.save(CHECKPOINT, tmp_path / 'done.pth')
    ours = plan(tmp_path, entries={'a': {'config': FRAMEWISE}}, baseline=None)
    trainings = [s for s in ours.stages if s.is_training]
    failed = execute(trainings, Launcher(tmp_path, jobs=2), jobs=2)
    good, bad = trainings
    assert good.is_done
    assert 'loss: 0.5' in good.log.read_text()
    assert failed == {
        bad: f"'a, seed 1, train' failed, its log is {bad.log}\n"
        'error: in one sentence'
    }
    assert 'after' in bad.log.read_text()


def test_stopped_in_the_middle(tmp_path):
    (tmp_path / 'train.py').write_text(TRAIN)
    torch.save(CHECKPOINT, tmp_path / 'done.pth')
    ours = plan(
        *(tmp_path,),
        entries={'a': {'config': FRAMEWISE}},
        baseline=None,
        seeds=[0],
    )
    stage, launcher = ours.stages[0], Launcher(tmp_path)
    stage.begin()
    (stage.work_dir / 'wait').touch()
    timer = threading.Timer(1, launcher.stop)
    timer.start()
    with pytest.raises(ToolError):
        launcher(stage, 0)
    with pytest.raises(RuntimeError, match='stopped'):
        launcher(stage, 0)
    assert not stage.is_done


def test_torchrun(stages):
    launcher = Launcher(TOOLS, 'pytorch', gpus=4)
    train, test = stages['gru, seed 0, train'], stages['gru, seed 0, stream']
    command = launcher.command(train)
    script = str(TOOLS / 'dist_train.sh')
    assert command[:4] == ['bash', script, str(train.config), '4']
    command = launcher.command(test)
    assert command[1] == str(TOOLS / 'dist_test.sh')
    assert command[3:5] == [str(test.run.checkpoint), '4']
    ports = {launcher.environment(slot)['PORT'] for slot in range(3)}
    assert len(ports) > 1


def test_slurm(stages, monkeypatch):
    with pytest.raises(ValueError, match='needs --partition and srun'):
        Launcher(TOOLS, 'slurm', partition='gpu')
    monkeypatch.setattr('shutil.which', lambda name: f'/usr/bin/{name}')
    launcher = Launcher(TOOLS, 'slurm', gpus=8, partition='gpu')
    test = stages['gru, seed 0, stream']
    assert launcher.command(test)[:6] == [
        *('bash', str(TOOLS / 'slurm_test.sh'), 'gpu', 'gru_0'),
        *(str(test.config), str(test.run.checkpoint)),
    ]
    assert launcher.environment(0)['GPUS'] == '8'


def test_each_has_gpus_of_its_own():
    launcher = Launcher(TOOLS, 'pytorch', 2, 2, ['0', '1', '2', '5'])
    devices = [
        launcher.environment(slot)['CUDA_VISIBLE_DEVICES'] for slot in (0, 1)
    ]
    assert devices == ['0,1', '2,5']
    with pytest.raises(ValueError, match='need --launcher pytorch or slurm'):
        Launcher(TOOLS, gpus=2)


def test_more_gpus_than_there_are(tmp_path, monkeypatch, capsys):
    devices = ['0', '1']
    launcher = Launcher(TOOLS, 'pytorch', gpus=4, devices=devices)
    ours = plan(tmp_path)
    with pytest.raises(ValueError, match='wants 4 GPUs, this machine has 2: '):
        perform(ours, ours.stages, launcher)
    Launcher(TOOLS, 'pytorch', gpus=4).check()  # processes on the CPU
    monkeypatch.setattr('shutil.which', lambda name: f'/usr/bin/{name}')
    slurm = Launcher(TOOLS, 'slurm', 1, 4, devices, partition='gpu')
    slurm.check()  # whose GPUs are elsewhere
    Launcher(TOOLS, 'pytorch', 1, 2, devices).check()
    assert not capsys.readouterr().out
    Launcher(TOOLS, 'none', 3, 1, devices).check()
    said = '3 runs at once with 1 GPU(s) each share 2 GPU(s)'
    assert said in capsys.readouterr().out


def test_without_gpus_the_cores_are_shared(monkeypatch):
    monkeypatch.setattr('os.cpu_count', lambda: 8)
    monkeypatch.delenv('OMP_NUM_THREADS', raising=False)
    assert Launcher(TOOLS, jobs=3).environment(0)['OMP_NUM_THREADS'] == '2'
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    assert 'OMP_NUM_THREADS' not in Launcher(TOOLS, jobs=3).environment(0)


def test_visible_devices(monkeypatch):
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '3,GPU-5')
    assert visible_devices(2) == ['3', 'GPU-5']
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES')
    assert visible_devices(2) == ['0', '1']
    assert visible_devices(0) == []
