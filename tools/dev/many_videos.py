"""Run mmseg-video run on many short videos in two processes, and kill it.

    python tools/dev/many_videos.py --videos 1000 --out work_dirs/many_videos

Draws the videos (street scenes of 64x128, a few frames each), writes a tiny
net with random weights, starts the run by torchrun, kills all of it --kills
times on the way, starts it again until it ends by itself, and checks that
every video was done, none twice, and nothing half-written is left. Writes
OUT/report.json, and exits 1 where it finds a fault.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import torch
from mmengine import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from mmseg_video.apis import open_frames
from mmseg_video.cli.arguments import at_least, tool_parser
from mmseg_video.datasets.street_scenes import StreetScene
from mmseg_video.engine.launch import cli
from mmseg_video.io.atomic import write_text
from mmseg_video.io.shipped import ROOT, find_config
from mmseg_video.io.writers import open_writer


def parse_args():
    parser = tool_parser(__doc__)
    parser.add_argument('--videos', type=at_least(4), default=1000)
    parser.add_argument('--frames', type=at_least(1), default=6)
    parser.add_argument('--kills', type=at_least(0), default=2)
    parser.add_argument('--port', type=int, default=29671)
    parser.add_argument('--out', type=Path, default='work_dirs/many_videos')
    return parser.parse_args()


def write_videos(folder: Path, num: int, frames: int) -> dict[str, int]:
    """Name -> number of frames; those that are there are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    scenes = [StreetScene(i, 'val', 0, 64, 128) for i in range(4)]
    pictures = [
        [scene.frame(t)[0] for t in range(2 * frames)] for scene in scenes
    ]
    draw, lengths = random.Random(0), {}
    for i in range(num):
        name = f'{i:06d}'
        lengths[name] = draw.randint(1, 2 * frames)
        path = folder / f'{name}.mp4'
        if not path.exists():
            with open_writer(path, 10) as writer:
                for picture in pictures[i % 4][: lengths[name]]:
                    writer.write(picture)
    return lengths


def write_net(folder: Path) -> tuple[str, str]:
    """Config and checkpoint of a tiny framewise net with random weights."""
    init_default_scope('mmseg')
    cfg = Config.fromfile(find_config('unet_street'))
    cfg.merge_from_dict(
        {
            'model.backbone.base_channels': 8,
            'model.decode_head.in_channels': [8, 16, 32, 64],
            'model.decode_head.channels': 8,
        }
    )
    cfg.dump(folder / 'net.py')
    torch.manual_seed(0)
    weights = MODELS.build(cfg.model).state_dict()
    torch.save(dict(state_dict=weights, meta={}), folder / 'net.pth')
    return str(folder / 'net.py'), str(folder / 'net.pth')


def done(out: Path) -> dict[str, int]:
    """Name of each video that is done -> when its mark was made."""
    marks = {}
    for path in (out / 'drawn/.done').glob('[!.]*.json'):  # one is half there
        with contextlib.suppress(FileNotFoundError):  # it has just moved
            marks[path.stem] = path.stat().st_mtime_ns
    return marks


def start(out: Path, net: tuple[str, str], port: int) -> subprocess.Popen:
    command = [
        *(sys.executable, '-m', 'torch.distributed.run'),
        *('--nproc_per_node', '2', '--master_port', str(port)),
        *(str(ROOT / 'demo/video_demo.py'), str(out / 'videos'), *net),
        *('--launcher', 'pytorch', '--steady', 'place'),
        *('--out', str(out / 'drawn'), '--json', str(out / 'json')),
    ]
    with open(out / 'run.log', 'a') as log:
        return subprocess.Popen(
            command,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, 'OMP_NUM_THREADS': '1'},
        )


def kill(process: subprocess.Popen) -> None:
    """Kill a process (-9) and all that it started."""
    parents = {}
    for stat in Path('/proc').glob('[0-9]*/stat'):
        with contextlib.suppress(OSError):  # it has ended
            fields = stat.read_text().rpartition(') ')[2].split()
            parents.setdefault(int(fields[1]), []).append(
                int(stat.parent.name)
            )
    pids = [process.pid]
    for pid in pids:
        pids += parents.get(pid, [])
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def faults_of(out: Path, lengths: dict[str, int]) -> list[str]:
    """What is wrong with the outputs."""
    faults = []
    for name, length in lengths.items():
        lines = out / f'json/{name}.ndjson'
        drawn = out / f'drawn/{name}.mp4'
        if not (lines.exists() and drawn.exists()):
            faults.append(f'{name}: lost')
            continue
        found = len(lines.read_text().splitlines())
        shown = sum(1 for _ in open_frames(drawn))
        if not found == shown == length:
            faults.append(f'{name}: {found}, {shown} frames of {length}')
    left = [
        *out.rglob('.writing-*'),
        *(out / 'json').glob('.*.ndjson'),
        *(out / 'drawn/.done').glob('.*.json'),
    ]
    return faults + [f'{path}: left half-written' for path in left]


@cli
def main():
    args = parse_args()
    for name in ('drawn', 'json'):
        shutil.rmtree(args.out / name, ignore_errors=True)
    lengths = write_videos(args.out / 'videos', args.videos, args.frames)
    net = write_net(args.out)
    (args.out / 'run.log').unlink(missing_ok=True)
    marks, again, began = [], Counter(), time.perf_counter()
    for run in range(args.kills + 1):
        before = done(args.out)
        process = start(args.out, net, args.port)
        goal = len(lengths) * (run + 1) // (args.kills + 1)
        while process.poll() is None:
            if run < args.kills and len(done(args.out)) >= goal:
                kill(process)
            time.sleep(0.05)
        after = done(args.out)
        again.update(n for n, made in before.items() if after.get(n) != made)
        marks.append(dict(status=process.returncode, done=len(after)))
    faults = faults_of(args.out, lengths)
    faults += [f'{name}: done twice' for name in again]
    report = dict(
        videos=len(lengths),
        frames=sum(lengths.values()),
        seconds=round(time.perf_counter() - began, 1),
        runs=marks,
        faults=faults,
    )
    write_text(args.out / 'report.json', json.dumps(report, indent=1))
    print(json.dumps(report, indent=1))
    if faults or marks[-1]['status']:
        raise RuntimeError(f'{len(faults)} faults, see {args.out}/run.log')


if __name__ == '__main__':
    main()
