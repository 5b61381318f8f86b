"""tools/model_table.py: one row for each config, measured once."""

import csv
import json
import re
import sys

import pytest

from mmseg_video.experiments import costs
from tests.commands import load_tool
from tests.runs import CONFIGS

METAFILE = """
Models:
  - Name: net
    In Collection: Nets
    Config: configs/net.py
  - Name: a_longer_net
    In Collection: Nets
    Config: configs/a_longer_net.py
  - Name: broken
    In Collection: Nets
    Config: configs/broken.py
  - Name: rnn_net
    In Collection: RNNs
    Config: configs/rnn_net.py
    Metadata: {Framewise Baseline: net}
"""


@pytest.fixture
def tool(tmp_path, monkeypatch):
    """The tool, in a repository of four configs, of which one is broken."""
    module = load_tool('model_table')
    monkeypatch.setattr(module, 'ROOT', tmp_path)
    configs = tmp_path / 'configs'
    configs.mkdir()
    (configs / 'metafile.yml').write_text(METAFILE)
    for name in ('net', 'a_longer_net', 'rnn_net', 'broken'):
        base = CONFIGS / f'{"rnn_" * (name[0] == "r")}unet_street.py'
        text = f'_base_ = {str(base)!r}\n'
        if name == 'broken':
            text += 'model = dict(decode_head=dict(in_channels=[1]))\n'
        (configs / f'{name}.py').write_text(text)
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        arguments = ('--size', 64, 128, '--out', tmp_path / 'out', *arguments)
        argv = ['model_table.py', *map(str, arguments)]
        monkeypatch.setattr(sys, 'argv', argv)
        module.main()

    return run


def test_a_table_of_all_configs(tool, tmp_path, capsys):
    with pytest.raises(SystemExit):
        tool('--latency', '--repeats', 1)
    errors = capsys.readouterr().err
    assert 'failed: broken: ' in errors
    assert 'error: 1 of 4 configs failed' in errors
    rows = json.loads((tmp_path / 'out/model_table.json').read_text())
    net, _, rnn = rows['models']
    assert (net['name'], rnn['name']) == ('net', 'rnn_net')
    assert 1 < rnn['parameters_ratio'] < 1.12
    assert 1 < rnn['gflops_ratio'] < 1.12
    assert rnn['latency_ratio'] > 0
    assert 'latency_ratio' not in net
    with open(tmp_path / 'out/model_table.csv') as file:
        names = [row['name'] for row in csv.DictReader(file)]
    assert names == ['net', 'a_longer_net', 'rnn_net']
    table = (tmp_path / 'out/model_table.md').read_text()
    assert '| [rnn_net](configs/rnn_net.py) | 3.93 |' in table
    assert 'latency ×' in table
    # What costs the same is one row.
    assert '(configs/net.py), [a_longer_net](configs/a_' in table


def test_what_is_done_is_not_done_again(tool, tmp_path, monkeypatch):
    tool('configs/net.py', 'configs/rnn_net.py')
    first = (tmp_path / 'out/model_table.md').read_text()

    def multiply_adds(cfg, size):
        raise AssertionError('again')

    monkeypatch.setattr(costs, 'multiply_adds', multiply_adds)
    tool('configs/net.py', 'configs/rnn_net.py')
    assert (tmp_path / 'out/model_table.md').read_text() == first
    config = tmp_path / 'configs/rnn_net.py'
    base = config.read_text()
    # Another training of the same model.
    config.write_text(base + 'model = dict(train_cfg=dict(burn_in=2))\n')
    tool('configs/net.py', 'configs/rnn_net.py')
    config.write_text(base + 'model = dict(neck=dict(levels=[3]))\n')
    with pytest.raises(SystemExit):  # another model
        tool('configs/rnn_net.py')


def test_only_what_is_missing_is_measured(tool, tmp_path, capsys):
    path = tmp_path / 'out/model_table.json'
    with pytest.raises(SystemExit):
        tool('configs/net.py', '--missing')
    assert "model_table.json' is not there" in capsys.readouterr().err
    tool('configs/net.py')
    table = json.loads(path.read_text())
    table['models'][0]['gflops'] = 7.5
    table['device'] = 'a machine'
    path.write_text(json.dumps(table))
    configs = ('configs/rnn_net.py', 'configs/net.py')
    tool(*configs, '--missing')
    table = json.loads(path.read_text())
    assert [row['name'] for row in table['models']] == ['rnn_net', 'net']
    assert table['models'][1]['gflops'] == 7.5
    assert 1 < table['models'][0]['parameters_ratio'] < 1.12
    assert table['device'] == 'a machine'
    # A name that stands for another model now.
    config = tmp_path / 'configs/net.py'
    config.write_text(
        config.read_text() + 'model = dict(decode_head=dict(channels=16))\n'
    )
    tool('configs/net.py', '--missing')
    (row,) = json.loads(path.read_text())['models']
    assert row['gflops'] != 7.5
    for options, sentence in (
        (('--latency',), "the latencies in '.*' are of a machine, this is "),
        (('--size', 32, 64), 'is of frames of 64x128, not 32x64: give --size'),
    ):
        with pytest.raises(SystemExit):
            tool(*configs, '--missing', *options)
        assert re.search(sentence, capsys.readouterr().err)


def test_a_config_without_an_entry_is_one_sentence(tool, tmp_path, capsys):
    with pytest.raises(SystemExit):
        tool('configs/none.py')
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: 'configs/none.py' has no entry")
    assert not (tmp_path / 'out').exists()
