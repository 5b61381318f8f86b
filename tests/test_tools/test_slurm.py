"""tools/slurm_train.sh against a SLURM that is a shell script."""

import os
import sys
from pathlib import Path

from tests.commands import ROOT, call

SRUN = """#!/bin/bash
echo "$@" >> "$CALLS"
[ "$(wc -l < "$CALLS")" -gt "$TIMES" ] && exit 0
exit 138
"""
SCONTROL = """#!/bin/bash
echo "scontrol $@" >> "$CALLS"
"""


def slurm(tmp_path, times, **environment):
    for name, text in (('srun', SRUN), ('scontrol', SCONTROL)):
        path = tmp_path / name
        path.write_text(text)
        path.chmod(0o755)
    calls = tmp_path / 'calls'
    path = f'{tmp_path}:{Path(sys.executable).parent}:{os.environ["PATH"]}'
    code, output = call(
        *(ROOT / 'tools/slurm_train.sh', 'gpu', 'job', 'x.py', '--amp'),
        PATH=path,
        CALLS=str(calls),
        TIMES=str(times),
        **environment,
    )
    return code, output, calls.read_text().splitlines()


def test_a_job_whose_time_is_up_is_asked_for_again(tmp_path):
    code, output, calls = slurm(tmp_path, 2)
    assert code == 0, output
    assert len(calls) == 3
    assert all('--signal=USR1@120' in line for line in calls)
    assert ['--resume' in line for line in calls] == [False, True, True]
    assert '--amp' in calls[2]


def test_a_batch_job_is_requeued_and_resumes(tmp_path):
    code, output, calls = slurm(tmp_path, 1, SLURM_JOB_ID='77')
    assert code == 0, output
    assert '--resume' not in calls[0]
    assert calls[1] == 'scontrol requeue 77'
    (tmp_path / 'calls').unlink()
    again = dict(SLURM_JOB_ID='77', SLURM_RESTART_COUNT='1')
    code, output, calls = slurm(tmp_path, 0, **again)
    assert code == 0, output
    assert calls[0].endswith('--resume')
