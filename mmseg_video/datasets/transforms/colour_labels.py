"""Label maps whose pixels are the colours of the classes."""

from collections.abc import Sequence

import numpy as np


def ids_of_colours(
    image: np.ndarray,
    palette: Sequence[Sequence[int]],
    ignored: Sequence[Sequence[int]] = (),
) -> np.ndarray:
    """Class ids (H, W) uint8 of a picture (H, W, 3) uint8 RGB, 255 where its
    colour is to be ignored.

    Args:
        image (ndarray): The picture.
        palette (Sequence): RGB colours of the classes.
        ignored (Sequence): RGB colours of none. Defaults to ().

    Raises:
        ValueError: If two classes share a colour, or the picture has another
            one.
    """
    colours = [tuple(int(c) for c in colour) for colour in palette]
    if len(set(colours)) < len(colours):
        raise ValueError('two classes share a colour, which tells neither')
    ids = {c: i for i, c in enumerate(colours)}
    ids = {tuple(int(c) for c in colour): 255 for colour in ignored} | ids
    known = sorted(ids)
    keys = np.array([_packed(np.array(c)) for c in known])
    values = np.array([ids[c] for c in known], np.uint8)
    pixels = _packed(image)
    place = np.searchsorted(keys, pixels).clip(max=len(keys) - 1)
    unknown = keys[place] != pixels
    if unknown.any():
        worst, counts = np.unique(pixels[unknown], return_counts=True)
        worst = int(worst[counts.argmax()])
        rgb = [worst >> 16, worst >> 8 & 255, worst & 255]
        raise ValueError(
            f'{unknown.mean():.1%} of its pixels have {len(counts)} colours '
            f'that no class has, most often {rgb} (RGB)'
        )
    return values[place]


def _packed(image: np.ndarray) -> np.ndarray:
    """The colours (..., 3) as one number each."""
    red, green, blue = np.moveaxis(image.astype(np.int64), -1, 0)
    return red << 16 | green << 8 | blue
