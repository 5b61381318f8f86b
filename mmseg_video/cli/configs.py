"""The names of the configs that come with the package, with their paths.

mmseg-video configs [PART_OF_A_NAME]
mmseg-video configs --copy FOLDER    all of them, for configs of one's own
"""

import os
import shutil
import sys

from ..io.nearest import close_to
from ..io.shipped import ROOT, config_paths
from .arguments import tool_parser


def main() -> None:
    parser = tool_parser(__doc__)
    parser.add_argument('part', nargs='?', default='')
    parser.add_argument(
        '--copy',
        metavar='FOLDER',
        help='write all configs, and what they inherit, to a new folder',
    )
    args = parser.parse_args()
    if args.copy is not None:
        _copy(args.copy)
        return
    part = args.part
    known = config_paths()
    found = {name: path for name, path in known.items() if part in name}
    if not found:
        sys.exit(
            f"error: no config has '{part}' in its name{close_to(part, known)}"
        )
    print('\n'.join(f'{name:48} {path}' for name, path in found.items()))


def _copy(folder: str) -> None:
    if os.path.exists(folder):
        sys.exit(f"error: '{folder}' exists: name a new folder")
    left_out = shutil.ignore_patterns('__pycache__')
    try:
        shutil.copytree(ROOT / 'configs', folder, ignore=left_out)
    except OSError as error:  # shutil.Error too, of single files
        sys.exit(f"error: cannot write '{folder}': {error}")
    print(f"written to '{folder}'")
