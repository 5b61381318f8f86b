"""Checkpoints read as data: nothing in one runs.

MMEngine loads a checkpoint by PyTorch's weights-only reader, and where that
refuses it unpickles, which runs whatever the file says. This module takes the
place of all its loaders (``CheckpointLoader``), so ``load_from``, ``resume``,
``init_cfg``, ``pretrained`` and mmengine's own ``load_checkpoint`` end here.
"""

import hashlib
import io
import os
import pickle
import re
import zipfile
from pathlib import Path
from urllib.parse import urlparse

import numpy as np
import torch
from mmengine.dist import barrier, get_dist_info
from mmengine.fileio import get_file_backend
from mmengine.logging import HistoryBuffer, print_log
from mmengine.runner import checkpoint as mmengine_checkpoint
from mmengine.runner.checkpoint import CheckpointLoader

# Set by --trust-checkpoint; the tools that a tool starts inherit it.
TRUST = 'MMSEG_VIDEO_TRUST_CHECKPOINT'
# PyTorch writes zip files, whose directory comes last; before 1.6 it wrote
# pickles.
ZIP, PICKLE = b'PK', b'\x80'
_GLOBAL = re.compile(r'(?:GLOBAL|function) (?:<[^>]*?)?([\w.]+)')


def _method(owner: type, name: str):
    """What MMEngine's checkpoints take ``getattr`` for, and nothing else."""
    if owner is not HistoryBuffer or name.startswith('_'):
        raise pickle.UnpicklingError(
            f'Unsupported global: GLOBAL getattr of {owner}'
        )
    return getattr(HistoryBuffer, name)


_core = getattr(np, '_core', None) or np.core
# What MMEngine's own checkpoints hold beside tensors: numbers, and no code.
# Both names of NumPy's module are in use, from before 2.0 and after.
PLAIN = [
    *(
        (function, f'numpy.{core}.multiarray.{name}')
        for core in ('core', '_core')
        for name, function in (
            ('_reconstruct', _core.multiarray._reconstruct),
            ('scalar', _core.multiarray.scalar),
        )
    ),
    *(np.ndarray, np.dtype),
    *{type(np.dtype(kind)) for kind in '?bBhHiIlLqQefdSU'},
    HistoryBuffer,
    (_method, 'builtins.getattr'),
]


def is_trusted() -> bool:
    """Whether checkpoints may run code in this process."""
    return os.environ.get(TRUST) == '1'


def read_checkpoint(
    path: str | os.PathLike, map_location=None
) -> dict | object:
    """What a local checkpoint holds, without running anything in it.

    Its checksums are compared first: a flipped bit is an error, not another
    weight. The text of a config in it (``meta['config']``), which MMEngine
    would run where a training is resumed, is left out.

    Args:
        path (path): The file.
        map_location: :func:`torch.load`'s.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged, no checkpoint, or holds anything but
            weights and numbers.
    """
    name, path = path, Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint '{name}'")
    with open(path, 'rb') as file:
        return read_from(file, str(path), map_location)


def read_from(file: io.BufferedIOBase, name: str, map_location=None):
    """:func:`read_checkpoint` of an open file that is called ``name``."""
    _check_sums(file, name)
    file.seek(0)
    try:
        with torch.serialization.safe_globals(PLAIN):
            loaded = torch.load(
                file, map_location=map_location, weights_only=True
            )
    except pickle.UnpicklingError as error:
        found = _GLOBAL.search(str(error))
        if found is None:
            raise ValueError(
                f"'{name}' is no checkpoint that torch reads: "
                f'{_first_line(error)}'
            ) from error
        if not is_trusted():
            raise ValueError(
                f"the checkpoint '{name}' holds more than weights "
                f'({found[1]}), which would run as a program does: it is not '
                'loaded. If you trust its author as you would trust a '
                'program, --trust-checkpoint loads it and lets it run'
            ) from error
        print_log(
            f"'{name}' holds {found[1]}, and may run anything: it is trusted",
            'current',
            30,
        )
        file.seek(0)
        # The one place where a file may run: the user has said so, by
        # --trust-checkpoint, and the log says it again (SECURITY.md).
        loaded = torch.load(
            file, map_location=map_location, weights_only=False
        )
    # Whatever else a file of other bytes makes of torch.
    except Exception as error:
        if isinstance(error, torch.OutOfMemoryError | MemoryError):
            raise
        raise ValueError(
            f"'{name}' is no checkpoint that torch reads: {_first_line(error)}"
        ) from error
    if isinstance(loaded, dict) and isinstance(loaded.get('meta'), dict):
        loaded['meta'].pop('config', None)
    return loaded


def _check_sums(file: io.BufferedIOBase, name: str) -> None:
    """Refuse a zip file that is cut short or whose sums are wrong."""
    file.seek(0)
    begin = file.read(2)
    if begin != ZIP:
        if len(begin) == 2 and begin[:1] != PICKLE:
            raise ValueError(
                f"'{name}' is no checkpoint that torch reads: it begins as "
                'none does'
            )
        if len(begin) == 2:
            return
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            damaged = archive.testzip()
    except Exception as error:
        size = file.seek(0, os.SEEK_END)
        raise ValueError(
            f"the checkpoint '{name}' is cut short or damaged ({size} bytes): "
            'copy it again, or take another'
        ) from error
    if damaged is not None:
        raise ValueError(
            f"the checkpoint '{name}' is damaged (the checksum of its part "
            f"'{damaged}' is wrong): copy it again, or take another"
        )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or ['']
    return f'{type(error).__name__}: {lines[0]}'


def load_from_local(filename: str, map_location=None):
    """A path."""
    return read_checkpoint(filename, map_location)


def load_from_http(filename: str, map_location=None):
    """An address; what was downloaded is kept, and not fetched again."""
    # Many addresses end in the same name.
    own = hashlib.sha256(filename.encode()).hexdigest()[:12]
    folder = Path(torch.hub.get_dir(), 'checkpoints', own)
    path = folder / Path(urlparse(filename).path).name
    rank, world_size = get_dist_info()
    # The first process downloads; on other machines each for itself.
    for turn in range(min(2, world_size)):
        if (turn == 0) == (rank == 0) and not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            _download(filename, path)
        barrier()
    return read_checkpoint(path, map_location)


def _download(address: str, path: Path) -> None:
    try:
        torch.hub.download_url_to_file(
            address, str(path), progress=os.isatty(2)
        )
    except (OSError, ValueError) as error:  # addresses that are none
        raise OSError(
            f"cannot fetch the weights '{address}': {error}. Download them on "
            'a machine with a network and name the file instead'
        ) from error


def load_from_store(filename: str, map_location=None):
    """``s3://...`` and ``petrel://...``."""
    try:
        backend = get_file_backend(
            filename, backend_args=dict(backend='petrel')
        )
    except ImportError as error:
        raise ValueError(
            f"'{filename}' cannot be read here ({error}): download it, and "
            'name the file instead'
        ) from error
    with io.BytesIO(backend.get(filename)) as file:
        return read_from(file, filename, map_location)


def load_from_torchvision(filename: str, map_location=None):
    """``torchvision://NAME``."""
    names = mmengine_checkpoint.get_torchvision_models()
    address = _look_up(names, filename, filename.split('://', 1)[1])
    return CheckpointLoader.load_checkpoint(address, map_location)


def load_from_openmmlab(filename: str, map_location=None):
    """``open-mmlab://NAME``."""
    name = filename.split('://', 1)[1]
    name = mmengine_checkpoint.get_deprecated_model_names().get(name, name)
    address = _look_up(
        mmengine_checkpoint.get_external_models(), filename, name
    )
    if '://' not in address:
        home = mmengine_checkpoint._get_mmengine_home()
        address = os.path.join(home, address)
    return CheckpointLoader.load_checkpoint(address, map_location)


def load_from_mmcls(filename: str, map_location=None):
    """``mmcls://NAME``: the backbone alone."""
    name = filename.split('://', 1)[1]
    address = _look_up(mmengine_checkpoint.get_mmcls_models(), filename, name)
    loaded = CheckpointLoader.load_checkpoint(address, map_location)
    return mmengine_checkpoint._process_mmcls_checkpoint(loaded)


def load_from_pavi(filename: str, map_location=None):
    """``pavi://...``, a service of MMEngine's makers."""
    raise ValueError(f"'{filename}': download it, and name the file instead")


def _look_up(names: dict, filename: str, name: str) -> str:
    if name not in names:
        raise ValueError(f"'{filename}': there is no such name")
    return names[name]


LOADERS = {
    '': load_from_local,
    ('http://', 'https://'): load_from_http,
    (r'(\S+\:)?s3://', r'(\S+\:)?petrel://'): load_from_store,
    ('modelzoo://', 'torchvision://'): load_from_torchvision,
    ('open-mmlab://', 'openmmlab://'): load_from_openmmlab,
    'mmcls://': load_from_mmcls,
    'pavi://': load_from_pavi,
}
for _prefixes, _loader in LOADERS.items():
    CheckpointLoader.register_scheme(_prefixes, _loader, force=True)
