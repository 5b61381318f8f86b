"""ONNX files, which may be a stranger's."""

import base64
import json
import mmap
import os
import re
from collections.abc import Mapping

# The first field of an entry of TensorProto.external_data, its key; numbers
# of protobuf may be written longer than they need to be.
_EXTERNAL = re.compile(
    rb'(?:\x0a|\x8a\x80*\x00)(?:\x08|\x88\x80*\x00)location'
)

# The metadata that hold the graph of frames on which the net does not run.
PROPAGATION = 'propagation'


def check_self_contained(path: str | os.PathLike) -> None:
    """Refuse a model that asks for other files of this machine.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If its weights lie in other files.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"no model '{path}'")
    if not os.path.getsize(path):
        raise ValueError(f"the model '{path}' is empty")
    with (
        open(path, 'rb') as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        _check(content, path)


def split_names(text: str) -> list[str]:
    """The names in a text: a list in JSON, as names may have commas, or
    separated by commas."""
    if text.lstrip().startswith('['):
        return [str(name) for name in json.loads(text)]
    return text.split(',')


def propagation_graph(
    metadata: Mapping[str, str], path: str | os.PathLike
) -> bytes | None:
    """The graph of frames on which the net does not run; None if there is
    none.

    Args:
        metadata (Mapping): Of the model.
        path (path): Of the model.

    Raises:
        ValueError: If it is none, or its weights lie in other files.
    """
    if PROPAGATION not in metadata:
        return None
    try:
        graph = base64.b64decode(metadata[PROPAGATION], validate=True)
    except ValueError:
        raise ValueError(
            f"the model '{path}' is damaged: export it again"
        ) from None
    _check(graph, path)
    return graph


def _check(content, path: str | os.PathLike) -> None:
    if _EXTERNAL.search(content):
        raise ValueError(
            f"the model '{path}' reads other files (external data), which "
            'may be any of this machine: it is not opened. Where you '
            'made it, save it as one file (onnx.save)'
        )
