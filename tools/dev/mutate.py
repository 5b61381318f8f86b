"""Whether the tests notice mistakes: each mutant is one, put into the code.

    python tools/dev/mutate.py                    # all of mutants.yml
    python tools/dev/mutate.py --only flow/ gru   # whose name or file has it
    python tools/dev/mutate.py --list

Mutants are applied one at a time, to a temporary copy of the tree; then the
tests that should kill it run. Results are kept: the same command goes on where
it was interrupted, and runs again what has changed since. Exit status 0 means
that all are killed.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue

import yaml
from tqdm import tqdm

from mmseg_video.cli.arguments import tool_parser
from mmseg_video.io.atomic import write_text

ROOT = Path(__file__).parents[2]
ORDER = ('survived', 'stale', 'broken', 'killed')


@dataclass(frozen=True)
class Mutant:
    """A mistake.

    Attributes:
        name (str): What is wrong then.
        file (str): Where, relative to the root of the tree.
        old (str): Text that is in the file exactly once.
        new (str): What takes its place.
        tests (tuple[str, ...]): What should fail, as pytest is given it.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def applied(self, root: Path) -> str | None:
        """The file's text with the mistake, None where it does not fit."""
        path = root / self.file
        text = path.read_text() if path.is_file() else ''
        if text.count(self.old) != 1:
            return None
        return text.replace(self.old, self.new)

    def key(self, root: Path) -> str:
        """A hash of what decides the result, as far as it is told here: the
        mutant, its file and its tests."""
        digest = hashlib.sha256(repr(self).encode())
        for name in (self.file, *self.tests):
            path = root / name.partition('::')[0]
            for file in (path, *sorted(path.rglob('*.py'))):
                if file.is_file():
                    digest.update(file.read_bytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Result:
    """What became of a mutant: ``outcome`` is one of ORDER, ``why`` the test
    that failed first, or what is wrong with the mutant."""

    outcome: str
    why: str
    seconds: float = 0


def read_mutants(path: Path) -> list[Mutant]:
    """The mutants of a YAML file.

    Raises:
        ValueError: If it is none, two have one name, or one lacks a part.
    """
    try:
        groups = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise ValueError(f'{path} is no YAML: {error}') from None
    mutants = {}
    for file, group in groups.items():
        for name, parts in group['mutants'].items():
            tests = parts.get('tests', group.get('tests'))
            old, new = parts.get('old'), parts.get('new')
            if not tests or not old or new is None or old == new:
                raise ValueError(
                    f"{path}: '{name}' needs old, another new, and tests"
                )
            if name in mutants:
                raise ValueError(f"{path}: there are two '{name}'")
            mutants[name] = Mutant(name, file, old, new, tuple(tests))
    return list(mutants.values())


def copy_tree(root: Path, target: Path) -> Path:
    """Copy what git tracks, or would; without what it ignores."""
    listed = subprocess.run(
        ['git', 'ls-files', '-z', '-co', '--exclude-standard'],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.split('\0'):
        if name and (root / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, target / name)
    return target


def run_tests(
    tree: Path, tests: tuple[str, ...], timeout: float, stop: str = '-x'
) -> tuple[int | None, str]:
    """Exit status of pytest, None where the time is up, and its output."""
    environment = {
        'OMP_NUM_THREADS': '1',
        **os.environ,
        'PYTHONPATH': str(tree),
        # A mutant may have the size and the second of the file before it.
        'PYTHONDONTWRITEBYTECODE': '1',
        'PYTHONWARNINGS': 'ignore',
    }
    process = subprocess.Popen(
        [sys.executable, '-m', 'pytest', stop, '-q', '-p', 'no:cacheprovider']
        + list(tests),
        cwd=tree,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=timeout)
        return process.returncode, output
    except BaseException as error:
        # Its children too.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            return None, ''
        raise


def judge(mutant: Mutant, tree: Path, timeout: float) -> Result:
    """Run the tests of a mutant in a copy of the tree, and repair it."""
    path, text = tree / mutant.file, mutant.applied(tree)
    if text is None:
        return Result('stale', f'not once in {mutant.file}: {mutant.old!r}')
    before = path.read_text()
    start = time.perf_counter()
    path.write_text(text)
    try:
        status, output = run_tests(tree, mutant.tests, timeout)
    finally:
        path.write_text(before)
    seconds = round(time.perf_counter() - start, 1)
    if status is None:
        return Result('killed', 'time limit', seconds)
    if status == 0:
        return Result('survived', ', '.join(mutant.tests), seconds)
    failed = re.search(r'^FAILED (\S+)', output, re.MULTILINE)
    if status == 1 and failed:
        return Result('killed', failed[1], seconds)
    lines = output.strip().splitlines()
    return Result('broken', lines[-1] if lines else '', seconds)


def failing_tests(
    mutants: list[Mutant], tree: Path, timeout: float
) -> list[str]:
    """The tests that fail without any mutant, and so would kill all.

    Raises:
        RuntimeError: If pytest itself fails.
    """
    tests = sorted({test for mutant in mutants for test in mutant.tests})
    status, output = run_tests(
        tree, tuple(tests), timeout * len(tests), '--maxfail=100'
    )
    failed = re.findall(r'^(?:FAILED|ERROR) (\S+)', output, re.MULTILINE)
    if status and not failed:
        tail = '\n'.join(output.splitlines()[-15:])
        raise RuntimeError(f'{tail}\nthe tests do not run without any mutant')
    return failed


def as_markdown(results: dict[Mutant, Result]) -> str:
    """Counts, then a row for each mutant, survivors first."""
    counts = Counter(result.outcome for result in results.values())
    lines = [
        ', '.join(f'{counts[o]} {o}' for o in ORDER)
        + f' of {len(results)} mutants',
        '',
        '| mutant | file | outcome | by | s |',
        '|---|---|---|---|---|',
    ]
    for mutant, result in sorted(
        results.items(), key=lambda item: ORDER.index(item[1].outcome)
    ):
        why = result.why.replace('|', '\\|')
        lines.append(
            f'| {mutant.name} | {mutant.file} | {result.outcome} | {why} | '
            f'{result.seconds:.0f} |'
        )
    return '\n'.join(lines) + '\n'


def run(
    mutants: list[Mutant], root: Path, out: Path, jobs: int, timeout: float
) -> dict[Mutant, Result]:
    """Results of all mutants; those that are known are not run again."""
    keys = {mutant: mutant.key(root) for mutant in mutants}
    store = out / 'results.json'
    known = json.loads(store.read_text()) if store.is_file() else {}
    results = {m: Result(*known[k]) for m, k in keys.items() if k in known}
    to_do = [mutant for mutant in mutants if mutant not in results]
    if not to_do:
        return results
    with tempfile.TemporaryDirectory() as folder:
        trees = SimpleQueue()
        for i in range(jobs):
            trees.put(copy_tree(root, Path(folder, str(i))))
        fitting = [mutant for mutant in to_do if mutant.applied(root)]
        failing = []
        if fitting:
            failing = failing_tests(fitting, Path(folder, '0'), timeout)

        def work(mutant: Mutant) -> tuple[Mutant, Result]:
            for name in failing:
                if name.startswith(mutant.tests):
                    why = f'without it too fails {name}'
                    return mutant, Result('broken', why)
            tree = trees.get()
            try:
                return mutant, judge(mutant, tree, timeout)
            finally:
                trees.put(tree)

        pool = ThreadPoolExecutor(jobs)
        try:
            with tqdm(total=len(mutants), initial=len(results)) as bar:
                for mutant, result in pool.map(work, to_do):
                    results[mutant] = result
                    if result.outcome != 'broken':
                        known[keys[mutant]] = tuple(asdict(result).values())
                        write_text(store, json.dumps(known, indent=1))
                    bar.update()
                    if result.outcome != 'killed':
                        bar.write(
                            f'{result.outcome}: {mutant.name} ({result.why})'
                        )
        finally:
            pool.shutdown(cancel_futures=True)
    return {mutant: results[mutant] for mutant in mutants}


def parse_args():
    parser = tool_parser(__doc__)
    parser.add_argument(
        '--only', nargs='+', default=[''], help='parts of names or files'
    )
    parser.add_argument('--list', action='store_true', help='run nothing')
    parser.add_argument(
        '--mutants', type=Path, default=Path(__file__).with_name('mutants.yml')
    )
    parser.add_argument('--root', type=Path, default=ROOT, help='of the tree')
    parser.add_argument(
        '--out', type=Path, default=ROOT / 'work_dirs' / 'mutation'
    )
    parser.add_argument('--jobs', type=int, default=2)
    parser.add_argument(
        '--timeout', type=float, default=300, help='seconds for one mutant'
    )
    return parser.parse_args()


def main():
    args = parse_args()
    try:
        mutants = [
            mutant
            for mutant in read_mutants(args.mutants)
            if any(o in f'{mutant.file} {mutant.name}' for o in args.only)
        ]
        if not mutants:
            raise ValueError(f'no mutant has {" or ".join(args.only)}')
        if args.list:
            for mutant in mutants:
                fits = '' if mutant.applied(args.root) else ' (stale)'
                print(f'{mutant.file}: {mutant.name}{fits}')
            return
        results = run(mutants, args.root, args.out, args.jobs, args.timeout)
    except (OSError, ValueError, RuntimeError) as error:
        sys.exit(f'error: {error}')
    except KeyboardInterrupt:
        sys.exit('interrupted: the same command goes on from here')
    table = as_markdown(results)
    write_text(args.out / 'mutation.md', table)
    print(table)
    sys.exit(any(r.outcome != 'killed' for r in results.values()))


if __name__ == '__main__':
    main()
