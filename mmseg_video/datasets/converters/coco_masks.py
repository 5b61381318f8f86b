"""Semantic maps (H, W) drawn from COCO's polygons and RLEs."""

import numpy as np

try:
    from pycocotools import mask as coco_mask
except ImportError:
    coco_mask = None

BACKGROUND, CROWD = 0, 255
# Annotators' corners may lie on the border, and rounding puts some behind it.
TOLERANCE = 1.0  # pixels


def read_runs(counts: list | str) -> list[int]:
    """The runs of an RLE, of 0 and 1 in turn, whether compressed or not.

    pycocotools checks none of this, and hands out memory that nobody wrote
    where the runs end early.

    Raises:
        ValueError: If these are no runs.
    """
    if isinstance(counts, list):
        runs = counts
    elif isinstance(counts, str):
        # Characters of 6 bits from '0' on: 5 of the number, the lowest
        # first, and whether more follow. The number is signed; from the
        # fourth on it is the difference to the run before the last.
        runs, value, bits = [], 0, 0
        for character in counts:
            six = ord(character) - ord('0')
            if not 0 <= six < 64:
                raise ValueError(f'{character!r} is in no compressed RLE')
            value |= (six & 31) << bits
            bits += 5
            if six & 32:
                continue
            if six & 16:
                value -= 1 << bits
            runs.append(value + runs[-2] if len(runs) > 2 else value)
            value, bits = 0, 0
        if bits:
            raise ValueError('the string breaks off')
    else:
        raise ValueError(f'{counts!r} is neither a list nor a string')
    for run in runs:
        if type(run) is not int or run < 0:
            raise ValueError(f'a run of {run!r} pixels cannot be')
    return runs


def cut(corners: np.ndarray, height: int, width: int) -> np.ndarray:
    """The part inside the image (M, 2) of a polygon's x, y (N, 2).

    Sutherland and Hodgman, "Reentrant Polygon Clipping", 1974: the polygon
    is cut at one border after the other. Parts that this leaves apart stay
    joined by lines along the border, which cover no pixel.
    """
    polygon = corners.tolist()
    for axis, inwards, border in (
        (0, 1, 0.0),
        (0, -1, float(width)),
        (1, 1, 0.0),
        (1, -1, float(height)),
    ):
        whole, polygon = polygon, []
        for start, end in zip(whole[-1:] + whole[:-1], whole, strict=True):
            before = inwards * (start[axis] - border)
            after = inwards * (end[axis] - border)
            if min(before, after) < 0 < max(before, after):
                # Two weights, as 1 - weight is rounded too much where one
                # end is far away.
                length = abs(before) + abs(after)
                crossing = [
                    abs(after) / length * s + abs(before) / length * e
                    for s, e in zip(start, end, strict=True)
                ]
                crossing[axis] = border
                polygon.append(crossing)
            if after >= 0:
                polygon.append(end)
    return np.reshape(polygon, (-1, 2))


def encode(
    annotation: dict, height: int, width: int, outside: str
) -> dict | None:
    """The object's pixels as one RLE; None, if its polygons have none.

    Raises:
        ValueError: If it does not fit an image of this size.
    """
    shape = annotation['segmentation']
    what = f'annotation {annotation["id"]}'
    if isinstance(shape, dict):
        if shape.get('size') != [height, width]:
            raise ValueError(
                f'{what}: its RLE is of size {shape.get("size")}, the image '
                f'is {[height, width]} (height, width)'
            )
        if 'counts' not in shape:
            raise ValueError(f'{what}: its RLE has no counts')
        try:
            runs = read_runs(shape['counts'])
        except ValueError as error:
            raise ValueError(
                f"{what}: its RLE's counts are wrong, {error}: correct the "
                'RLE or remove it'
            ) from None
        if sum(runs) != height * width:
            raise ValueError(
                f'{what}: its RLE covers {sum(runs)} pixels, the image of '
                f'{width}x{height} has {height * width}: correct the RLE '
                'or remove it'
            )
        return coco_mask.frPyObjects(
            dict(size=[height, width], counts=runs), height, width
        )
    if not isinstance(shape, list):
        raise ValueError(f'{what}: {shape!r} is neither polygons nor an RLE')
    polygons = []
    for polygon in shape:
        corners = np.asarray(polygon, float)
        if corners.ndim != 1 or len(corners) % 2:
            raise ValueError(f'{what}: a polygon is not x, y, x, y, ...')
        if not np.isfinite(corners).all():
            # pycocotools would fill the memory.
            raise ValueError(f'{what}: a corner of a polygon is no number')
        if len(corners) < 6:  # a line or a point covers no pixel
            continue
        corners = corners.reshape(-1, 2)
        over = np.maximum(-corners, corners - (width, height)).max()
        if over > TOLERANCE and outside == 'error':
            raise ValueError(
                f'{what}: a polygon reaches {over:.0f} pixels outside the '
                f'image of {width}x{height}; the file may belong to images '
                'of another size; --outside clip cuts polygons at the border'
            )
        if over > TOLERANCE:
            corners = cut(corners, height, width)
        corners = np.clip(corners, 0, (width, height))
        if len(corners) > 2:
            polygons.append(corners.ravel().tolist())
    if not polygons:
        return None
    return coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))


def draw(
    annotations: list[dict], height: int, width: int, outside: str = 'error'
) -> tuple[np.ndarray, int]:
    """The map (H, W) uint8 of an image, and how many objects have no pixel.

    Args:
        annotations (list[dict]): Those of the image, as COCO has them.
        height (int): H.
        width (int): W.
        outside (str): 'error' or 'clip', for polygons that reach over the
            border.
    """
    objects = []
    for annotation in annotations:
        rle = encode(annotation, height, width, outside)
        area = int(coco_mask.area(rle)) if rle else 0
        if not area:
            continue
        crowd = bool(annotation.get('iscrowd', 0))
        value = CROWD if crowd else annotation['category_id']
        objects.append((not crowd, -area, value, rle))
    label = np.full((height, width), BACKGROUND, np.uint8)
    # Crowds, then the largest object, ..., the smallest; sorted() is stable.
    for _, _, value, rle in sorted(objects, key=lambda o: o[:2]):
        label[coco_mask.decode(rle).astype(bool)] = value
    return label, len(annotations) - len(objects)
