"""Pack what runs leave, but for their weights, into one file.

    python tools/dev/archive_runs.py work_dirs/evidence/seed{0,1,2} \
        --out work_dirs/results/street_scenes/runs.tar.xz

The folders are what tools/ablate.py --out was given; each keeps its name.
Configs, logs, figures, results of each sequence and costs are enough for
tools/dev/pool_runs.py. The paths of this clone, of its environment and of the
home folder become relative. tools/dev/unpack_runs.py unpacks it.
"""

import argparse
import io
import lzma
import re
import sys
import tarfile
from pathlib import Path

from mmseg_video.cli.arguments import tool_parser
from mmseg_video.engine.launch import cli
from mmseg_video.io.atomic import atomic_path

KEPT = (
    *('runs/*/*.py', 'runs/*/*.log', 'runs/*/*.done'),
    *('runs/*/test_*/*.json', 'runs/*/train/*/vis_data/scalars.json'),
    *('costs/*.json', '*/table.csv', '*/table.md', '*/*/seed*'),
)


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('folders', nargs='+', type=Path, metavar='FOLDER')
    parser.add_argument('--out', type=Path, required=True)
    args = parser.parse_args()
    names = [folder.resolve().name for folder in args.folders]
    if len({*names}) != len(names):
        parser.error(f'folders need names of their own: {", ".join(names)}')
    for folder in args.folders:
        if not (folder / 'runs').is_dir():
            parser.error(f"'{folder}' holds no runs of tools/ablate.py")
    return args


def places() -> re.Pattern:
    """The folders of this machine that logs name, where a path begins."""
    here = (
        *(Path.cwd(), Path(__file__).parents[2], Path(sys.prefix).parent),
        Path.home(),
    )
    both = {p for path in here for p in (path, path.resolve())}
    named = {f'{p}/' for p in both if p != Path(p.anchor)}
    longest = sorted(map(re.escape, named), key=len, reverse=True)
    return re.compile(rf'(?<![\w./-])(?:{"|".join(longest)})'.encode())


PLACES = places()


def add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    """A file or a link, of no user, without folders of this machine."""
    info = archive.gettarinfo(path, name)
    info.uid = info.gid = 0
    info.uname = info.gname = 'root'
    if not info.isreg():
        archive.addfile(info)
        return
    content = path.read_bytes()
    if not path.name.endswith('.sequences.json'):
        content = PLACES.sub(b'', content)
    info.size = len(content)
    info.type = tarfile.REGTYPE  # also of hard links
    archive.addfile(info, io.BytesIO(content))


@cli
def main():
    args = parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with (
        atomic_path(args.out) as temporary,
        lzma.open(temporary, 'wb', preset=9) as packed,
        tarfile.open(fileobj=packed, mode='w') as archive,
    ):
        for folder in args.folders:
            found = {path for kept in KEPT for path in folder.glob(kept)}
            for path in sorted(found):
                name = Path(folder.resolve().name, path.relative_to(folder))
                add(archive, path, str(name))
                count += 1
    print(f'{count} files and links in {args.out}')


if __name__ == '__main__':
    main()
