"""tools/gpu_day.sh, from the shell to the page."""

import json

from tests.commands import TOOLS, call


def test_it_is_rehearsed_on_a_cpu(tmp_path):
    command = ('bash', TOOLS / 'gpu_day.sh', '--dry', '--out', tmp_path)
    code, output = call(*command, '--stages', 'facts', 'cuda_graphs')
    assert code == 0, output[-2000:]
    stages = json.loads((tmp_path / 'gpu_day.json').read_text())['stages']
    assert list(stages) == ['facts', 'cuda_graphs']
    assert all(entry['status'] == 'done' for entry in stages.values())
    assert 'its figures mean nothing' in (tmp_path / 'gpu.md').read_text()


def test_bad_input_is_one_sentence(tmp_path):
    command = ('bash', TOOLS / 'gpu_day.sh', '--out', tmp_path / 'out')
    for arguments, sentence in (
        (['--minutes', 0], '--minutes must be > 0, got 0'),
        (['--dry', '--stages', 'none'], "invalid choice: 'none'"),
        (['--dry', '--train-camvid', tmp_path / 'no'], "no folder '"),
        ([], 'PyTorch finds no GPU here'),
    ):
        code, output = call(*command, *arguments, CUDA_VISIBLE_DEVICES='')
        assert code != 0
        assert sentence in output
        assert 'Traceback' not in output
    assert not (tmp_path / 'out').exists()
