"""Random numbers of a frame that depend on nothing but the frame."""

import zlib

import numpy as np


def frame_generator(
    seed: int, path: str, sequence: str | None, num_folders: int = 0
) -> np.random.Generator:
    """The random numbers of a frame: its own, and alike on every machine.

    A frame is known by its sequence and its file's name, as many videos have
    a ``000012.jpg``. A name that tells the sequence (Cityscapes'
    ``CITY_SNIPPET_FRAME``, CamVid's ``RECORDING_FRAME``) stands for itself,
    whatever the sequence is called: it begins with the sequence's name up to
    the last ``_``, and lies in no folder of that name.

    Args:
        seed (int): Of the transform.
        path (str): Of the frame.
        sequence (str | None): Its sequence, where that is known.
        num_folders (int): How many of the folders around a name that stands
            for itself count too. Defaults to 0, as a frame may lie in two.
    """
    *folders, name = path.replace('\\', '/').split('/')
    sequence = (sequence or '').replace('\\', '/')
    if sequence and not _tells_sequence(name, folders, sequence):
        frame = f'{sequence}/{name}'
    else:
        frame = '/'.join([*folders, name][-1 - num_folders :])
    return np.random.default_rng([seed, zlib.crc32(frame.encode())])


def _tells_sequence(name: str, folders: list[str], sequence: str) -> bool:
    recording, mark, _ = sequence.rpartition('_')
    return (
        bool(mark)
        and name.startswith(f'{recording}_')
        and sequence.split('/')[0] not in folders
    )
