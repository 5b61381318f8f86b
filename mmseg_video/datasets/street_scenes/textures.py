"""Surfaces of a street: colours and textures (h, w, 3) uint8, BGR.

Every class draws its colours from one broad distribution, so that colour
alone tells little; what tells is the structure.
"""

import cv2
import numpy as np

# Cityscapes' train ids, and what shows the layer behind it.
ROAD, SIDEWALK, BUILDING, WALL, FENCE, POLE = range(6)
TRAFFIC_LIGHT, TRAFFIC_SIGN, VEGETATION, TERRAIN, SKY = range(6, 11)
PERSON, RIDER, CAR, TRUCK, BUS, TRAIN, MOTORCYCLE, BICYCLE = range(11, 19)
IGNORE, TRANSPARENT = 255, 254

Layer = tuple[np.ndarray, np.ndarray]  # image (h, w, 3), label (h, w)


def colour(rng: np.random.Generator, low=50, high=205, tint=20) -> np.ndarray:
    """A colour (3,): some grey, tinted a little."""
    return np.clip(rng.uniform(low, high) + rng.normal(0, tint, 3), 15, 240)


def leaf_colour(rng: np.random.Generator) -> np.ndarray:
    """A colour (3,), greener than others in two cases of three."""
    base = colour(rng, 45, 150, 14)
    if rng.random() < 0.67:
        base += rng.uniform(0.3, 1) * np.array([-14, 24, -4])
    return np.clip(base, 10, 240)


def noise(rng, h: int, w: int, cell: int) -> np.ndarray:
    """Smooth noise (h, w) in [-1, 1], its bumps ``cell`` pixels wide."""
    coarse = rng.uniform(-1, 1, (h // cell + 2, w // cell + 2))
    return cv2.resize(coarse.astype(np.float32), (w, h))


def surface(rng, h: int, w: int, base, rough=12, cells=(2, 12)) -> np.ndarray:
    """A rough surface (h, w, 3) of one colour."""
    bumps = sum(noise(rng, h, w, cell) for cell in cells) * rough
    flat = np.empty((h, w, 3), np.float32)
    flat[:] = base
    flat += bumps[..., None]
    return cv2.convertScaleAbs(np.maximum(flat, 0, out=flat))


def bricks(img: np.ndarray, rng, ppm: float, size: float) -> None:
    """Draw joints, ``size`` metres apart, at ``ppm`` pixels a metre."""
    step = max(3, round(size * ppm))
    joint = 0.8 if rng.random() < 0.7 else 1.15
    rows = img[::step]
    rows[:] = np.clip(rows * joint, 0, 255)
    for i, row in enumerate(range(0, img.shape[0], step)):
        columns = img[row : row + step, (i % 2) * step :: 2 * step]
        columns[:] = np.clip(columns * joint, 0, 255)


def facade(rng, h: int, w: int, ppm: float) -> np.ndarray:
    """A house front (h, w, 3) with rows of windows and a door."""
    img = surface(rng, h, w, colour(rng), rng.uniform(4, 12))
    if rng.random() < 0.5:
        bricks(img, rng, ppm, rng.uniform(0.4, 0.9))
    storey = rng.uniform(2.6, 3.6) * ppm
    pitch = rng.uniform(1.6, 3.2) * ppm
    ww, wh = pitch * rng.uniform(0.35, 0.7), storey * rng.uniform(0.4, 0.65)
    glass, frame = colour(rng, 25, 230, 14), colour(rng, 40, 240, 8)
    lit = rng.random((int(h / storey) + 2, int(w / pitch) + 2))
    for row, bottom in enumerate(np.arange(h - 0.9 * ppm, 0, -storey)):
        for column, left in enumerate(np.arange(pitch * 0.3, w, pitch)):
            x, y = int(left), int(bottom - wh)
            corner = (int(left + ww), int(bottom))
            shade = glass * (0.7 + 0.6 * lit[row, column])
            cv2.rectangle(img, (x, y), corner, shade.tolist(), -1)
            cv2.rectangle(img, (x, y), corner, frame.tolist(), 1)
    door = int(rng.uniform(0.1, 0.8) * w)
    cv2.rectangle(
        img,
        (door, int(h - 2.2 * ppm)),
        (int(door + 1.1 * ppm), h),
        colour(rng, 30, 160).tolist(),
        -1,
    )
    img[: max(2, int(0.35 * ppm))] = colour(rng)  # the eaves
    return img


def leaves(rng, h: int, w: int) -> np.ndarray:
    """Foliage (h, w, 3): clumps, and light between the leaves."""
    return surface(rng, h, w, leaf_colour(rng), 22, (3, 6, 14))


def ground(rng, length: float, half_width: float, road: float, walk: float):
    """The ground seen from above, and its pixels per metre.

    Args:
        length (float): Metres along the street (rows).
        half_width (float): Metres to both sides of its middle (columns).
        road (float): Half the width of the road in metres.
        walk (float): Width of a pavement in metres.
    """
    ppm = 12.0
    h, w = int(length * ppm), int(2 * half_width * ppm)

    def columns(left: float, right: float) -> slice:
        return slice(
            int((left + half_width) * ppm), int((right + half_width) * ppm)
        )

    def strip(part: slice) -> int:
        return part.stop - part.start

    img = np.empty((h, w, 3), np.uint8)
    label = np.full((h, w), TERRAIN, np.uint8)
    base = leaf_colour(rng) if rng.random() < 0.6 else colour(rng)
    img[:] = surface(rng, h, w, base, 24, (3, 7, 20))
    for side in (-1, 1):
        edges = sorted((side * road, side * (road + walk)))
        part = columns(*edges)
        paving = surface(rng, h, strip(part), colour(rng, 70, 200, 10), 7)
        bricks(paving, rng, ppm, rng.uniform(0.5, 1.0))
        img[:, part], label[:, part] = paving, SIDEWALK
        kerb = columns(*sorted((side * road, side * (road + 0.25))))
        img[:, kerb] = colour(rng, 90, 220, 6)
    part = columns(-road, road)
    asphalt = colour(rng, 45, 150, 8)
    img[:, part] = surface(rng, h, strip(part), asphalt, 8, (2, 30))
    label[:, part] = ROAD
    paint = np.clip(asphalt + rng.uniform(50, 110), 0, 245)
    period, dash = int(rng.uniform(5, 9) * ppm), rng.uniform(0.4, 0.7)
    middle = columns(-0.08, 0.08)
    for row in range(0, h, period):
        img[row : row + int(dash * period), middle] = paint
    for side in (-1, 1):
        edge = side * (road - 0.3)
        img[:, columns(edge - 0.06, edge + 0.06)] = paint
    for _ in range(rng.integers(0, 3)):  # zebra crossings
        row = int(rng.uniform(0.2, 0.9) * h)
        for left in np.arange(-road + 0.5, road - 0.5, 1.0):
            img[row : row + int(3 * ppm), columns(left, left + 0.5)] = paint
    for _ in range(rng.integers(0, 4)):  # mended asphalt
        row, left = int(rng.uniform(0, h)), rng.uniform(-road, road - 1)
        patch = img[row : row + int(4 * ppm), columns(left, left + 1)]
        patch[:] = np.clip(patch * rng.uniform(0.7, 1.1), 0, 255)
    return img, label, ppm


def roadside(rng, length: float, kind: str):
    """What stands along one side, as a strip seen from the street.

    Args:
        length (float): Metres along the street.
        kind (str): 'far' (houses, trees, gaps) or 'near' (walls, fences,
            hedges and more gaps).

    Returns:
        tuple: image (h, w, 3), label (h, w), pixels per metre; the bottom row
        stands on the ground.
    """
    ppm = 10.0 if kind == 'far' else 16.0
    height = 17.0 if kind == 'far' else 2.4
    h, w = int(height * ppm), int(length * ppm)
    img = np.zeros((h, w, 3), np.uint8)
    label = np.full((h, w), TRANSPARENT, np.uint8)
    x = 0
    while x < w:
        if kind == 'far':
            span = int(rng.uniform(7, 18) * ppm)
            what = rng.choice(
                [BUILDING, VEGETATION, TRANSPARENT], p=[0.68, 0.2, 0.12]
            )
            top = rng.uniform(5, 16.5)
        else:
            span = int(rng.uniform(5, 14) * ppm)
            what = rng.choice(
                [WALL, FENCE, VEGETATION, TRANSPARENT],
                p=[0.24, 0.26, 0.15, 0.35],
            )
            top = rng.uniform(1.1, 2.3)
        span = min(span, w - x)
        part = np.s_[h - int(top * ppm) :, x : x + span]
        if what != TRANSPARENT and span > 2 * ppm:
            img[part], label[part] = _stand(rng, *label[part].shape, what, ppm)
        x += span
    return img, label, ppm


def _stand(rng, h: int, w: int, what: int, ppm: float) -> Layer:
    label = np.full((h, w), what, np.uint8)
    if what == BUILDING:
        return facade(rng, h, w, ppm), label
    if what == WALL:
        img = surface(rng, h, w, colour(rng), 9)
        bricks(img, rng, ppm, rng.uniform(0.25, 0.6))
        img[: max(1, int(0.15 * ppm))] = colour(rng)
        return img, label
    if what == FENCE:
        # Cityscapes labels a fence as a whole, holes and all.
        img = surface(rng, h, w, colour(rng, 60, 190), 10)
        bar = colour(rng, 20, 230)
        step = max(3, int(rng.uniform(0.15, 0.4) * ppm))
        img[:, ::step] = bar
        if step > 4:
            img[:, 1::step] = bar
        for rail in (0.05, 0.45, 0.9):
            row = int(rail * h)
            img[row : row + max(1, h // 24)] = bar
        return img, label
    img = leaves(rng, h, w)
    outline = (noise(rng, 1, w, 6)[0] + 1.2) * 0.16 * h
    label[np.arange(h)[:, None] < outline[None]] = TRANSPARENT
    return img, label


def sky(rng, h: int, w: int) -> Layer:
    """The sky (h, w, 3) down to the horizon, with far hills or roofs."""
    top, bottom = colour(rng, 90, 225, 12), colour(rng, 130, 235, 10)
    if rng.random() < 0.5:
        top += np.array([25, 4, -18])
    ramp = np.linspace(0, 1, h, dtype=np.float32)[:, None, None]
    img = np.broadcast_to(top * (1 - ramp) + bottom * ramp, (h, w, 3))
    clouds = noise(rng, h, w, max(4, w // 9)) + noise(rng, h, w, w // 24 + 2)
    img = img + (np.clip(clouds, 0, 1.5) * rng.uniform(0, 28))[..., None]
    img = np.clip(img, 0, 250).astype(np.uint8)
    label = np.full((h, w), SKY, np.uint8)
    skyline = (noise(rng, 1, w, max(3, w // 30))[0] + 1.3) * 0.09 * h
    far = np.arange(h)[:, None] > h - skyline[None]
    img[far] = (leaves(rng, h, w) * 0.6 + 50).astype(np.uint8)[far]
    label[far] = VEGETATION
    return img, label
