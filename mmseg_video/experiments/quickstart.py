"""The main job from nothing: data, trainings, tests, the report."""

import json
import os
import time
from pathlib import Path

import cv2
from tqdm import tqdm

from ..datasets.street_scenes import write_street_scenes
from ..io.atomic import write_text
from ..io.json_files import read_object
from ..io.locks import FolderLock
from .launch import Launcher
from .perform import perform, report_failures
from .plan import Plan, make_plan
from .quickstart_report import write_curves, write_gif, write_table
from .report import describe
from .spec import read_spec
from .stages import Run
from .store import Marker, hash_of

BASELINE, RECURRENT = 'framewise', 'recurrent'
SCENE_SIZE = (128, 256)
SCENE_FRAMES = (8, 19)  # of a snippet: what T=12 reads


def run_quickstart(
    root: Path,
    launcher: Launcher,
    out: Path,
    dataset: str = 'street',
    data_root: str | None = None,
    snippets: tuple[int, int] = (240, 80),
    seed: int = 0,
    cfg_options: dict | None = None,
) -> None:
    """Is the recurrent model better, and by how much?

    The arguments are those of ``tools/quickstart.py``.

    Raises:
        FileNotFoundError: If there is no data.
        ValueError: If ``out`` holds a quick start with other arguments.
        RuntimeError: If a training or test failed.
    """
    out = out.resolve()
    if data_root and not Path(data_root).is_dir():
        raise FileNotFoundError(f"no data folder '{data_root}'")
    settings = dict(dataset=dataset, seed=seed, options=cfg_options)
    if not data_root:
        settings['snippets'] = list(snippets)
    folder = str(Path(data_root or out / 'street_scenes').resolve())
    with FolderLock(out):
        _keep_settings(out, dict(settings, data_root=folder))
        start = time.time()
        if not data_root:
            _make_scenes(Path(folder), *snippets, seed)
        suffix = '' if dataset == 'street' else f'_{dataset}'
        spec = read_spec(
            root / f'configs/ablations/quickstart{suffix}.yml',
            folder=str(root),
            data_root=folder,
            overrides=cfg_options,
            seeds=[seed],
        )
        plan = make_plan(spec, out)
        done = Marker(
            out / 'quickstart.done', hash_of([s.key for s in plan.stages])
        )
        if report := done.read():
            print((out / 'table.md').read_text())
            print(
                f"done before, in {report['minutes']} minutes: '{out}' holds "
                'the results. Remove it, or name another --out, to run anew'
            )
            return
        for run in plan.runs:
            run.link(out)
        print(describe(plan, list(spec.entries), plan.to_do(plan.stages)))
        report_failures(perform(plan, plan.stages, launcher))
        table = _report(plan, out, folder, settings)
        minutes = round((time.time() - start) / 60, 1)
        done.write(minutes=minutes)
    print(f'\n{table}')
    names = ('table.md', 'table.json', 'curves.png', 'side_by_side.gif')
    print('\n'.join(str(out / name) for name in names))
    print(f'{minutes} minutes')


def _keep_settings(out: Path, settings: dict) -> None:
    """A folder holds one job: other arguments need another folder."""
    path = out / 'settings.json'
    begun = any((out / name).exists() for name in ('street_scenes', 'runs'))
    settings = json.loads(json.dumps(settings))
    what = 'name another folder with --out, or remove it'
    if begun and path.exists() and read_object(path, what) != settings:
        raise ValueError(
            f"'{out}' holds a quick start with other arguments "
            f'({path.name}): {what}'
        )
    write_text(path, json.dumps(settings, indent=1))


def _make_scenes(root: Path, train: int, test: int, seed: int) -> None:
    arguments = dict(size=SCENE_SIZE, frames=SCENE_FRAMES, all_labels=True)
    # The curves need no more.
    val = max(2, test // 4)
    arguments |= dict(num_train=train, num_val=val, num_test=test, seed=seed)
    done = Marker(root.with_suffix('.done'), hash_of(arguments))
    if done.read() and root.is_dir():
        return
    # It makes its own processes, one for each core.
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    with tqdm(unit='snippet', desc='street scenes') as bar:

        def progress(number: int, total: int) -> None:
            bar.total = total
            bar.update(number - bar.n)

        write_street_scenes(
            root, **arguments, workers=os.cpu_count() or 1, progress=progress
        )
    cv2.setNumThreads(threads)
    done.write()


def _report(plan: Plan, out: Path, data_root: str, settings: dict) -> str:
    """Write the table, the curves and the GIF; returns the table."""
    trained = [plan.first_run(name) for name in (BASELINE, RECURRENT)]
    parts = {run.entry.name: _parts(run) for run in trained}
    iterations = {
        name: [part.cfg.train_cfg.max_iters for part in own]
        for name, own in parts.items()
    }
    tests = {name: {} for name in parts}
    for (run, protocol), stage in plan.tests.items():
        tests[run.entry.name][protocol] = stage.report['metrics']
    table = write_table(out, tests, iterations, settings)
    trainings = {run: plan.runs[run][0] for run in plan.runs}
    write_curves(
        out / 'curves.png',
        {
            name: [trainings[part].work_dir for part in own]
            for name, own in parts.items()
        },
        iterations,
    )
    print('drawing the GIF ...')
    write_gif(
        out / 'side_by_side.gif',
        {
            run.entry.name: (trainings[run].config, run.checkpoint)
            for run in trained
        },
        data_root,
    )
    return table


def _parts(run: Run) -> list[Run]:
    """A run after those that it starts from, the first one first."""
    return [*(_parts(run.start) if run.start else ()), run]
