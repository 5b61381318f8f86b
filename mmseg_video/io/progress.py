"""How far a video has come."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

Item = TypeVar('Item')


@contextmanager
def frame_bar(
    frames: Iterable[Item], length: int | None, quiet: bool = False
) -> Iterator[Iterable[Item]]:
    """The frames, with a bar on the terminal of how many are done.

    What this package logs meanwhile stands above the bar, not behind it.

    Args:
        frames (Iterable): Or what is made of them, one by one.
        length (int | None): How many there are; None where that is not
            known, as of a camera.
        quiet (bool): Whether there is no bar. Defaults to False.
    """
    logger = logging.getLogger('mmseg_video')
    with (
        tqdm(frames, total=length, unit='frame', disable=quiet) as bar,
        logging_redirect_tqdm([logger]),
    ):
        yield bar
