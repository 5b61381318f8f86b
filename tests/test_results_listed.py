"""work_dirs/README.md says of every committed result what made it."""

import re
from fnmatch import fnmatch
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / 'work_dirs'


def test_every_result_has_its_command():
    lines = (FOLDER / 'README.md').read_text().splitlines()
    rows = [line.split('|') for line in lines if line.startswith('| `')]
    listed = [
        name.removeprefix('results/')
        for row in rows
        for name in re.findall(r'`([^`]+)`', row[1])
    ]
    assert len(listed) > 20
    for path in (FOLDER / 'results').iterdir():
        assert any(fnmatch(path.name, name) for name in listed), path.name
    # And what is listed is there.
    found = [path.name for path in (FOLDER / 'results').rglob('*')]
    for name in set(listed) - {'survey'}:
        last = name.split('/')[-1]
        assert any(fnmatch(each, last) for each in found), name


def test_every_row_names_a_command():
    for line in (FOLDER / 'README.md').read_text().splitlines():
        if line.startswith('| `'):
            assert re.search(
                r'tools/|README|the command is in', line.split('|')[2]
            ), line
