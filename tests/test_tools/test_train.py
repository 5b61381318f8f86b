"""tools/train.py: mixed precision, resumption."""

import pytest
import torch

from tests.commands import ROOT, TOOLS, tiny


@pytest.fixture
def train(run_tool):
    def run(root, work_dir, *arguments, name='unet_street'):
        code, output = run_tool(
            *(TOOLS / 'train.py', ROOT / f'configs/{name}.py'),
            *('--work-dir', work_dir, *tiny(root), *arguments),
        )
        assert code == 0, output[-2000:]
        return output

    return run


def test_mixed_precision_and_resumption(train, root, tmp_path):
    output = train(root, tmp_path, '--amp', '--resume', '--seed', 7)
    assert 'Bfloat16OptimWrapper' in output
    assert f"nothing to resume in '{tmp_path}'" in output
    first = torch.load(tmp_path / 'iter_2.pth', weights_only=False)
    weights = first['state_dict'].values()
    assert not any(w.dtype == torch.bfloat16 for w in weights)
    assert first['meta']['seed'] == 7
    output = train(
        *(root, tmp_path, 'train_cfg.max_iters=3', '--amp', '--resume'),
    )
    assert 'Iter(train) [3/3]' in output
    assert 'Iter(train) [1/3]' not in output


def test_resumption_passes_over_a_damaged_checkpoint(train, root, tmp_path):
    train(root, tmp_path)
    checkpoint = tmp_path / 'iter_2.pth'
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    output = train(root, tmp_path, '--resume')
    assert f"'{checkpoint}' is not used: the checkpoint" in output
    assert 'is cut short or damaged (1000 bytes)' in output
    assert 'resumed epoch: 0, iter: 1' in output
    assert 'Iter(train) [2/2]' in output


def test_a_name_stands_for_its_published_weights(train, root, tmp_path):
    output = train(
        *(root, tmp_path, '--load-from', 'unet_street'), name='rnn_unet_street'
    )
    assert 'work_dirs/checkpoints/unet_street.pth' in output
    assert 'no --load-from' not in output


def test_laterals_without_a_framewise_net_warn(train, root, tmp_path):
    output = train(root, tmp_path, name='rnn_unet_street')
    assert output.count('no --load-from') == 1
