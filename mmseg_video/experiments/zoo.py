"""Which configs there are, and which framewise one each is compared with."""

import os
from dataclasses import dataclass
from pathlib import Path

from mmengine.fileio import load


@dataclass(frozen=True)
class Model:
    """One entry of a metafile.

    Attributes:
        name (str): The stem of its config.
        config (Path): The config itself.
        collection (str): The system it belongs to.
        baseline (str | None): The name of its framewise baseline; None for a
            framewise model.
    """

    name: str
    config: Path
    collection: str
    baseline: str | None = None


def read_metafiles(folder: str | os.PathLike) -> dict[str, Model]:
    """Every model of the ``metafile.yml`` in ``folder`` and below, by name.

    A metafile has OpenMMLab's format, with the framewise baseline in an
    entry's ``Metadata``. Its paths begin at the parent of ``folder``.
    Framewise models of a metafile come first.

    Raises:
        ValueError: If a name is there twice, or not its config's, or a
            baseline has no entry.
        FileNotFoundError: If a config does not exist.
    """
    folder = Path(folder).resolve()
    models = {}
    # Those of a folder before those below it.
    found = folder.rglob('metafile.yml')
    for path in sorted(found, key=lambda path: (len(path.parts), path)):
        entries = [
            _read(entry, path, folder) for entry in load(path)['Models']
        ]
        for model in sorted(
            entries, key=lambda model: model.baseline is not None
        ):
            if model.name in models:
                raise ValueError(
                    f"{path}: '{model.name}' has an entry already: the names "
                    'of configs are unique over all folders'
                )
            models[model.name] = model
    for model in models.values():
        if model.baseline is not None and model.baseline not in models:
            raise ValueError(
                f"the framewise baseline '{model.baseline}' of '{model.name}' "
                'has no entry in a metafile.yml'
            )
    return models


def _read(entry: dict, path: Path, folder: Path) -> Model:
    try:
        name, config = entry['Name'], folder.parent / entry['Config']
        collection = entry['In Collection']
    except (KeyError, TypeError):
        raise ValueError(
            f'{path}: an entry needs Name, In Collection and Config, got '
            f'{entry}'
        ) from None
    if not config.is_file():
        raise FileNotFoundError(f"{path}: no config '{entry['Config']}'")
    if config.stem != name:
        raise ValueError(f"{path}: '{name}' is not the name of {config.name}")
    baseline = entry.get('Metadata', {}).get('Framewise Baseline')
    return Model(name, config, collection, baseline)
