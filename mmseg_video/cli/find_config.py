"""The path of a config, for shell scripts: python -m ... NAME_OR_PATH."""

import sys

from ..io.shipped import find_config


def main() -> None:
    try:
        print(find_config(sys.argv[1]))
    except FileNotFoundError as error:
        sys.exit(f'error: {error}')


if __name__ == '__main__':
    main()
