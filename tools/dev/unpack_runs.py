"""Unpack what tools/dev/archive_runs.py packed.

    python tools/dev/unpack_runs.py work_dirs/results/survey/runs.tar.xz FOLDER

A folder that holds other runs is left as it is: those of the archive would
take their places.
"""

import argparse
import tarfile
from pathlib import Path

from mmseg_video.cli.arguments import tool_parser
from mmseg_video.engine.launch import cli
from mmseg_video.io.atomic import write_text

MARK = '.unpacked'


def parse_args() -> argparse.Namespace:
    parser = tool_parser(__doc__)
    parser.add_argument('archive', type=Path)
    parser.add_argument('folder', type=Path)
    return parser.parse_args()


def unpack(path: Path, folder: Path) -> None:
    """Raises a ValueError where other runs are."""
    mark = folder / MARK
    with tarfile.open(path) as archive:
        # 'seed0' of './seed0/runs' too.
        tops = {part for m in archive for part in Path(m.name).parts[:1]}
        theirs = [top for top in sorted(tops) if (folder / top).exists()]
        if theirs and not mark.is_file():
            raise ValueError(
                f"'{folder / theirs[0]}' holds other runs: name another folder"
            )
        folder.mkdir(parents=True, exist_ok=True)
        write_text(mark, f'{path.name}\n')
        # Not in every Python from 3.10 on; the archive is our own.
        safe = dict(filter='data') if hasattr(tarfile, 'data_filter') else {}
        archive.extractall(folder, **safe)


@cli
def main():
    args = parse_args()
    unpack(args.archive, args.folder)


if __name__ == '__main__':
    main()
