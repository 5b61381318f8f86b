"""A tool that is followed: its log, why it failed, and its end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmseg_video.experiments.follow import ToolError, follow

TALK = 'print("Iter(train) [2/4] loss: 0.5"); print("this is why")'


def run(code, log):
    follow('it', [sys.executable, '-c', code], log, dict(os.environ), 0, set())


def test_why_a_tool_failed_is_its_own_sentence(tmp_path):
    log = tmp_path / 'it.log'
    with pytest.raises(ToolError, match=r"'it' failed, .*it\.log") as error:
        run(f'{TALK}; raise SystemExit("error: in one sentence")', log)
    assert error.value.tail == ['error: in one sentence\n']
    assert 'this is why' in log.read_text()
    with pytest.raises(ToolError) as error:
        run(f'{TALK}; raise SystemExit(3)', log)
    assert 'this is why\n' in error.value.tail
    run(TALK, log)
    assert log.read_text().splitlines().count('this is why') == 3


ENDED = 'error: process 3 ended with status 1; what was said stands above\n'


@pytest.mark.parametrize('own', [True, False])
def test_of_many_processes_the_reason_is_told(own, tmp_path):
    """Though torchrun has a line for each that it ends, and the launcher one
    more."""
    said = 'error: CUDA out of memory in rank 3\n' if own else 'Killed\n'
    ends = ''.join(f'Sending process {i} closing SIGTERM\n' for i in range(15))
    code = f'print({said + ends + ENDED!r}, end=""); raise SystemExit(1)'
    with pytest.raises(ToolError) as error:
        run(code, tmp_path / 'it.log')
    if own:
        assert error.value.tail == [said, ENDED]
    else:
        assert error.value.tail[0] == 'Sending process 1 closing SIGTERM\n'
        assert error.value.tail[-1] == ENDED


def test_of_many_reasons_three_are_told(tmp_path):
    same = 'error: another process does not answer\n'
    own = [f'error: {i}\n' for i in range(5)]
    text = same * 20 + ''.join(own) + ENDED
    with pytest.raises(ToolError) as error:
        run(f'print({text!r}, end=""); raise SystemExit(1)', tmp_path / 'log')
    assert error.value.tail == [same, *own[:2], ENDED]


def test_without_a_log_nothing_runs(tmp_path):
    ran, processes = tmp_path / 'ran', set()
    call = [sys.executable, '-c', f'open({str(ran)!r}, "w")']
    log = tmp_path / 'gone' / 'it.log'
    with pytest.raises(FileNotFoundError, match=r'it\.log'):
        follow('it', call, log, dict(os.environ), 0, processes)
    time.sleep(0.5)
    assert not ran.exists()
    assert not processes


@pytest.mark.skipif(sys.platform != 'linux', reason='prctl is of Linux')
def test_a_tool_does_not_outlive_a_kill(tmp_path):
    """Else two would train in one folder when the command is run again."""
    pid = tmp_path / 'pid'
    tool = (
        'import os, pathlib, time\n'
        f'pathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\n'
        'time.sleep(60)'
    )
    code = (
        'import os, sys, pathlib\n'
        'from mmseg_video.experiments.follow import follow\n'
        f'follow("it", [sys.executable, "-c", {tool!r}], '
        f'pathlib.Path({str(tmp_path / "log")!r}), dict(os.environ), 0, set())'
    )
    parent = subprocess.Popen([sys.executable, '-c', code])
    deadline = time.time() + 60
    while not (pid.exists() and pid.read_text()):
        assert time.time() < deadline
        time.sleep(0.1)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    while os.path.exists(f'/proc/{pid.read_text()}'):
        stat = Path(f'/proc/{pid.read_text()}/stat').read_text()
        if stat.rpartition(') ')[2][0] == 'Z':
            break  # ended, and not yet fetched
        assert time.time() < deadline
        time.sleep(0.1)
