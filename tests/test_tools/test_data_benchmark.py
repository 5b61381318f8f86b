import json

import pytest

from tests.commands import load_tool


def test_every_way_is_measured(tmp_path, capsys):
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
    # 3475 of the 5000 snippets, two frames of the 30 of each.
    loose = result['rows']['crop first']['bytes']
    png = result['rows']['packed as PNG']['bytes']
    assert result['archive']['png'] == pytest.approx(
        324 * 3475 * 2 / 150000 * png / loose
    )
    assert '324 GB' in capsys.readouterr().out
