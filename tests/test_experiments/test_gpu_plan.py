"""What several GPUs take, computed from what one was measured to do."""

import json

import pytest

from mmseg_video.experiments.gpu_plan import Measured, Training, plan_table
from tests.commands import ROOT, TOOLS


def gpu_day():
    path = ROOT / 'work_dirs/results/gpu/gpu_day.json'
    return json.loads(path.read_text())


def test_the_page_has_the_tables_of_the_figures(run_tool):
    code, output = run_tool(TOOLS / 'dev/gpu_plan.py', '--check')
    assert code == 0, f'python tools/dev/gpu_plan.py fills it: {output}'


def test_tables_are_printed_for_other_numbers(run_tool):
    code, output = run_tool(
        *(TOOLS / 'dev/gpu_plan.py', '--gpus', 8, '--print', '--gpu-day'),
        ROOT / 'work_dirs/results/gpu/gpu_day.json',
    )
    assert code == 0, output
    assert '40,000 x 16' in output


def test_what_is_computed():
    measured = Measured(gpu_day())
    training = Training.of('rnn_unet_joint_cityscapes')
    assert (training.num_frames, training.batch) == (5, 2)
    seconds, mib = measured.step('laterals', 'TF32')
    rate, workers = measured.images(5)
    assert workers == 16
    (line,) = [
        row
        for row in plan_table(gpu_day(), 4).splitlines()
        if row.startswith('| laterals | TF32 |')
    ]
    cells = [cell.strip() for cell in line.strip('|').split('|')]
    assert float(cells[4]) == pytest.approx(2000 * seconds, abs=0.01)
    assert float(cells[6]) == pytest.approx(4 * 5 / seconds, abs=1)
    loading = 40_000 * 10 / rate / 3600
    validation = 10 * 500 * 5 / rate / 4 / 3600
    assert float(cells[8]) == pytest.approx(loading + validation, abs=0.06)
    assert float(cells[9]) == pytest.approx(2 * mib / 1024, abs=0.01)


def test_a_stage_that_was_not_done_is_named():
    content = gpu_day()
    content['stages']['loader']['status'] = 'skipped'
    with pytest.raises(ValueError, match=r"'loader' .* --stages loader"):
        Measured(content)
