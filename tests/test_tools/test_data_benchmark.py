import json

import pytest

from tests.commands import load_tool


def test_every_way_is_measured(tmp_path, capsys, monkeypatch):
    tool = load_tool('dev/data_benchmark')
    out = tmp_path / 'data.json'
    tool.main(
        [
            *('--size', '64', '128', '--num-frames', '2', '--snippets', '2'),
            *('--rounds', '1', '--out', str(out)),
        ]
    )
    result = json.loads(out.read_text())
    assert set(result['rows']) == set(tool.WAYS)
    assert result['rows']["mmseg's transforms, T times"]['ratio'] == 1
    for row in result['rows'].values():
        assert min(row.values()) > 0
    assert result['archive']['as_is'] == pytest.approx(3475 * 2 / 150000 * 324)
    assert '324 GB' in capsys.readouterr().out
