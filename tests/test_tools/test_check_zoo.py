"""tools/dev/check_zoo.py: what is run again, and what is shown."""

import importlib.util

import pytest

from tests.commands import TOOLS


@pytest.fixture(scope='module')
def zoo():
    spec = importlib.util.spec_from_file_location(
        'check_zoo', TOOLS / 'dev/check_zoo.py'
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_there_is_not_run_again(zoo):
    streams = dict(builds='', steady=1.0, recurrent=1.0, trains=1.0)
    assert zoo.left_of(None, export=False) == ['stream']
    assert zoo.left_of(None, export=True) == ['stream', 'export']
    assert zoo.left_of(streams, export=False) == []
    assert zoo.left_of(streams, export=True) == ['export']
    assert zoo.left_of(streams | dict(exports='no'), export=True) == []
    assert zoo.left_of(dict(builds='no'), export=True) == []


def test_the_table_counts_what_holds(zoo):
    rows = {
        'a': dict(model='a', builds='', parameters=1000000, steady=1.0),
        'b': dict(model='b', builds='', parameters=2000000, steady='Why: so'),
        'c': dict(model='c', builds='not here'),
    }
    rows['a']['exports'] = 2.0
    text = zoo.table(rows)
    assert text.startswith(
        'Of 3 families 2 build here: steady 1, exports 1 of 1 tried.'
    )
    assert '| b | b | 2.00 | Why: so |  |' in text
    assert '| c | c | not here |  |  |' in text


STUB = """
import json, sys, time
row = dict(model='a', builds='', parameters=1, steady=1.0)
print(json.dumps(row), flush=True)
print('a library talks', flush=True)
{end}
"""


@pytest.mark.parametrize(
    ('end', 'why'),
    [
        ('time.sleep(60)', 'more than 4 s'),
        ("sys.exit('no memory')", 'exit status 1: no memory'),
        ('import os; os.kill(os.getpid(), 9)', 'killed by signal 9: out of '),
    ],
)
def test_what_was_done_before_a_fault_is_kept(
    zoo, tmp_path, monkeypatch, end, why
):
    script = tmp_path / 'stub.py'
    script.write_text(STUB.format(end=end))
    monkeypatch.setattr(zoo, '__file__', str(script))
    row = zoo.run_one('a', ['stream'], timeout=4)
    assert row['steady'] == 1
    assert row['recurrent'].startswith(why)
    assert row['trains'] == row['recurrent']
    assert row['builds'] == ''
    assert 'exports' not in row


def test_a_model_that_ends_at_once_does_not_build(zoo, tmp_path, monkeypatch):
    script = tmp_path / 'stub.py'
    script.write_text("import sys; sys.exit('gone')")
    monkeypatch.setattr(zoo, '__file__', str(script))
    row = zoo.run_one('a', ['stream', 'export'], timeout=9)
    assert row == dict(model='a', builds='exit status 1: gone')
