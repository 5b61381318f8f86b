"""Configs, specs and tools that come with the package, found by name.

They lie beside the package in a clone, and in its ``.mim`` folder where it was
installed from a wheel.
"""

import os
from pathlib import Path

from .nearest import close_to

PACKAGE = Path(__file__).resolve().parents[1]
MIM = PACKAGE / '.mim'
ROOT = MIM if MIM.is_dir() else PACKAGE.parent
TOOLS = ROOT / 'tools'


def config_paths(root: Path = ROOT) -> dict[str, Path]:
    """Name (the stem, which is unique) -> path of every config of the zoo."""
    return {
        path.stem: path
        for path in sorted((root / 'configs').rglob('*.py'))
        if '_base_' not in path.parts
    }


def spec_paths(root: Path = ROOT) -> dict[str, Path]:
    """Name -> path of every ablation that comes with the package."""
    folder = root / 'configs/ablations'
    return {path.stem: path for path in sorted(folder.rglob('*.yml'))}


def find_config(config: str | os.PathLike) -> str:
    """The path of a config.

    Args:
        config (str | PathLike): A path, taken where it exists; one that begins
            with ``configs/`` may also begin at the package's. Or a name of the
            zoo, such as 'rnn_unet_street'.

    Raises:
        FileNotFoundError: If it is none of these; the sentence has the
            nearest names.
    """
    return _find('config', config, config_paths())


def find_spec(spec: str | os.PathLike) -> str:
    """The path of an ablation's YAML file, found as a config is.

    Raises:
        FileNotFoundError: If there is none.
    """
    return _find('spec', spec, spec_paths())


def shipped(path: str | os.PathLike) -> Path | None:
    """A file of the package that is named as in a clone (``configs/...``),
    None where there is none."""
    path = Path(path)
    inside = path.parts[:1] == ('configs',) and '..' not in path.parts
    return ROOT / path if inside and (ROOT / path).is_file() else None


def _find(kind: str, wanted: str | os.PathLike, known: dict[str, Path]) -> str:
    text = os.fspath(wanted)
    if os.path.isfile(text):
        return text
    path = Path(text)
    if found := shipped(path):
        return str(found)
    names = [text, path.stem] if path.suffix in ('.py', '.yml') else [text]
    for name in names if len(path.parts) == 1 else ():
        if name in known:
            return str(known[name])
    hint = close_to(names[-1].rpartition('/')[2], known)
    raise FileNotFoundError(
        f"no {kind} '{text}': it is neither a file nor one of the "
        f'{len(known)} names that come with the package{hint}'
    )
