"""tools/dev/mutate.py on a tree of two functions, and its own list."""

import subprocess
import sys
from collections import Counter

import yaml

from tests.commands import TOOLS, call, load_tool

SCRIPT = TOOLS / 'dev' / 'mutate.py'
MODULE = """def add(a, b):
    return a + b


def twice(a):
    return 2 * a
"""
TESTS = """
from module import add, twice

def test_add():
    assert add(1, 2) == 3

def test_twice():
    assert twice(2) == 4
"""
MUTANTS = {
    'subtracts': dict(old='a + b', new='a - b'),
    'squares': dict(old='2 * a', new='a * a'),
    'elsewhere': dict(old='a / b', new='b / a'),
    'no Python': dict(old='return a + b', new='return a +'),
    'never ends': dict(old='return 2 * a', new='while True: pass'),
}


def tree(tmp_path, **changes):
    """A tree, and a function that mutates it."""
    root = tmp_path / 'tree'
    root.mkdir(exist_ok=True)
    subprocess.run(['git', 'init', '-q'], cwd=root, check=True)
    (root / 'module.py').write_text(MODULE)
    (root / 'test_module.py').write_text(TESTS)
    group = dict(tests=['test_module.py'], mutants=MUTANTS | changes)
    path = tmp_path / 'mutants.yml'
    path.write_text(yaml.safe_dump({'module.py': group}))

    def mutate(*arguments):
        return call(
            *(sys.executable, SCRIPT, '--root', root, '--mutants', path),
            *('--out', tmp_path / 'out', '--timeout', 30, *arguments),
        )

    return root, mutate


def outcomes(output):
    rows = [line.split(' | ') for line in output.splitlines()]
    return {row[0].strip('| '): row[2] for row in rows if len(row) == 5}


def test_tells_what_the_tests_notice(tmp_path):
    root, mutate = tree(tmp_path)
    code, output = mutate()
    assert code == 1, output
    assert '1 survived, 1 stale, 1 broken, 2 killed of 5 mutants' in output
    found = outcomes(output)
    found.pop('mutant')
    assert found == {
        'squares': 'survived',  # 2 * 2 is 2 ** 2
        'elsewhere': 'stale',
        'no Python': 'broken',
        'subtracts': 'killed',
        'never ends': 'killed',
    }
    assert 'test_module.py::test_add' in output
    assert (tmp_path / 'out' / 'mutation.md').read_text() in output
    # The tree is as it was.
    assert (root / 'module.py').read_text() == MODULE
    # What is known is not run again; what has changed is.
    (tmp_path / 'out' / 'results.json').write_text(
        (tmp_path / 'out' / 'results.json')
        .read_text()
        .replace('"survived"', '"killed"')
    )
    code, output = mutate('--only', 'squares')
    assert (code, outcomes(output)['squares']) == (0, 'killed')
    (root / 'test_module.py').write_text(TESTS + '# changed\n')
    code, output = mutate('--only', 'squares', 'subtracts')
    assert code == 1
    assert outcomes(output)['squares'] == 'survived'
    (root / 'test_module.py').write_text(TESTS.replace('twice(2)', 'twice(3)'))
    code, output = mutate('--only', 'subtracts')
    assert code == 1
    assert outcomes(output)['subtracts'] == 'broken'
    assert 'without it too fails test_module.py::test_twice' in output
    (root / 'test_module.py').unlink()
    code, output = mutate('--only', 'subtracts')
    assert code == 1
    assert 'error: ' in output
    assert 'the tests do not run without any mutant' in output


def test_a_list_and_what_is_wrong_with_it(tmp_path):
    _, mutate = tree(tmp_path)
    code, output = mutate('--list')
    assert code == 0
    assert output.splitlines()[:2] == [
        'module.py: elsewhere (stale)',
        'module.py: never ends',
    ]
    code, output = mutate('--only', 'nothing')
    assert (code, output.strip()) == (1, 'error: no mutant has nothing')
    _, mutate = tree(tmp_path, same=dict(old='a + b', new='a + b'))
    code, output = mutate('--list')
    assert code == 1
    assert "'same' needs old, another new, and tests" in output


def test_every_mutant_fits_the_code_as_it_is():
    tool = load_tool('dev/mutate')
    mutants = tool.read_mutants(SCRIPT.with_name('mutants.yml'))
    root = TOOLS.parent
    stale = [m.name for m in mutants if m.applied(root) is None]
    assert not stale, 'texts that mutants.yml names are gone: adapt it'
    for mutant in mutants:
        for test in mutant.tests:
            assert (root / test.partition('::')[0]).exists(), test
    rooms = Counter(mutant.file.split('/')[1] for mutant in mutants)
    assert len(mutants) >= 60
    assert set(rooms) >= {
        *('models', 'flow', 'evaluation', 'datasets', 'experiments')
    }
