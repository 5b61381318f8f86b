"""tools/gpu_day.sh, from the shell to the page."""

import json

import pytest
import torch

from tests.commands import TOOLS, call, load_tool


def test_it_is_rehearsed_on_a_cpu(tmp_path):
    command = ('bash', TOOLS / 'gpu_day.sh', '--dry', '--out', tmp_path)
    code, output = call(*command, '--stages', 'facts', 'cuda_graphs')
    assert code == 0, output[-2000:]
    stages = json.loads((tmp_path / 'gpu_day.json').read_text())['stages']
    assert list(stages) == ['facts', 'cuda_graphs']
    assert all(entry['status'] == 'done' for entry in stages.values())
    assert 'its figures mean nothing' in (tmp_path / 'gpu.md').read_text()


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        (['--minutes', '0'], '--minutes must be > 0, got 0'),
        (['--dry', '--stages', 'none'], "invalid choice: 'none'"),
        (['--dry', '--train-camvid', 'no'], "no folder 'no'"),
        ([], 'PyTorch finds no GPU here'),
    ],
)
def test_bad_input_is_one_sentence(
    arguments, sentence, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    out = tmp_path / 'out'
    argv = ['gpu_day.py', '--out', str(out), *arguments]
    monkeypatch.setattr('sys.argv', argv)
    with pytest.raises(SystemExit) as end:
        load_tool('gpu_day').main()
    assert end.value.code
    assert sentence in capsys.readouterr().err
    assert not out.exists()
