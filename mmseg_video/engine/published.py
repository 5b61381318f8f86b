"""The weights that are published for a config."""

import hashlib
import os
from pathlib import Path

from mmengine.fileio import load

from ..io.shipped import ROOT, config_paths, find_config


def find_checkpoint(
    checkpoint: str | None, config: str, root: Path = ROOT
) -> str:
    """A checkpoint: the given one, else what a metafile names for a config.

    Args:
        checkpoint (str | None): A path or an address; None for the published
            one.
        config (str): A name of the zoo, or the path of one of its configs.
        root (Path): The folder of ``configs/``. Defaults to the package's.

    Raises:
        FileNotFoundError: If there is no such config, or the file of its
            weights is gone.
        ValueError: If none is given and none is published, or the file is not
            the published one.
    """
    if checkpoint is not None:
        return checkpoint
    path = Path(find_config(config)).resolve()
    for metafile in sorted((root / 'configs').rglob('metafile.yml')):
        for model in load(metafile)['Models']:
            own = model.get('Weights')
            if own and os.path.samefile(path, root / model['Config']):
                if '://' in own:
                    return own
                digest = model.get('Metadata', {}).get('SHA-256')
                return _shipped_weights(own, root, digest)
    of_zoo = path.is_relative_to((root / 'configs').resolve())
    name = path.stem if of_zoo else config
    raise ValueError(
        f"no weights are published for '{name}': train it (mmseg-video "
        f'train {name}) and name its checkpoint'
    )


def weights_of(source: str) -> str:
    """A path or an address as it is; for a name of the zoo, of which there is
    no file, its published weights.

    Raises:
        FileNotFoundError: If the file of its weights is gone.
        ValueError: If none are published, or the file is not the published
            one.
    """
    if source not in config_paths() or os.path.exists(source):
        return source
    return find_checkpoint(None, source)


def _shipped_weights(weights: str, root: Path, digest: str | None) -> str:
    """A file that comes with the package, if it is whole."""
    path = root / weights
    if not path.is_file():
        raise FileNotFoundError(
            f"the weights '{weights}' of this installation are not there: "
            'install the package again (a clone: git checkout -- '
            f'{weights}), or name a file of your own behind the config'
        )
    own = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest and own != digest:
        raise ValueError(
            f"'{weights}' is not what was published: its SHA-256 is "
            f'{own[:12]}..., not {digest[:12]}...: restore it (git checkout '
            f'-- {weights}), or name a file of your own behind the config'
        )
    return str(path)
