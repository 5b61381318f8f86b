"""The names of the configs that come with the package, with their paths.

mmseg-video configs [PART_OF_A_NAME]
"""

import argparse
import sys

from ..io.nearest import close_to
from ..io.shipped import config_paths


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('part', nargs='?', default='')
    part = parser.parse_args().part
    known = config_paths()
    found = {name: path for name, path in known.items() if part in name}
    if not found:
        sys.exit(
            f"error: no config has '{part}' in its name{close_to(part, known)}"
        )
    print('\n'.join(f'{name:48} {path}' for name, path in found.items()))
