"""Things in a street, as flat pictures that face the camera.

Each function draws one :class:`Sprite`.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from . import textures as tx
from .textures import TRANSPARENT

PPM = 24.0  # pixels a metre


@dataclass
class Sprite:
    """Image (h, w, 3), label (h, w) with TRANSPARENT around the thing, and
    the metres that the h pixels stand for."""

    img: np.ndarray
    label: np.ndarray
    height: float
    shadow: bool = False
    _levels: list = field(default_factory=list)

    def level(self, ppm: float) -> tuple[np.ndarray, np.ndarray, float]:
        """Image, label and height to draw at ``ppm`` pixels a metre: halved
        until the drawing shrinks them by less than two."""
        if not self._levels:
            self._levels.append((self.img, self.label))
        i = 0
        while self._levels[i][1].shape[0] > 2 * ppm * self.height + 4:
            if i + 1 == len(self._levels):
                img, label = self._levels[i]
                size = (max(1, img.shape[1] // 2), max(1, img.shape[0] // 2))
                # Colours bleed in from around the thing otherwise.
                area = cv2.INTER_AREA
                mask = (label != TRANSPARENT).astype(np.float32)
                weight = cv2.resize(mask, size, interpolation=area)
                colours = cv2.resize(
                    img * mask[..., None], size, interpolation=area
                )
                colours /= np.maximum(weight, 1e-3)[..., None]
                self._levels.append(
                    (
                        np.clip(colours, 0, 255).astype(np.uint8),
                        cv2.resize(
                            label, size, interpolation=cv2.INTER_NEAREST
                        ),
                    )
                )
            i += 1
        return *self._levels[i], self.height


class _Canvas:
    """Draws the same shape into an image and its label."""

    def __init__(self, rng, height: float, width: float, ppm: float = PPM):
        self.rng, self.ppm, self.height = rng, ppm, height
        h, w = round(height * ppm), round(width * ppm)
        self.img = np.zeros((h, w, 3), np.uint8)
        self.label = np.full((h, w), tx.TRANSPARENT, np.uint8)

    def _pixel(self, x: float, y: float) -> tuple[int, int]:
        """Metres from the left and above the ground, to (column, row)."""
        return round(x * self.ppm), round((self.height - y) * self.ppm)

    def box(self, x0, y0, x1, y1, colour, label=None):
        corners = self._pixel(x0, y0), self._pixel(x1, y1)
        cv2.rectangle(self.img, *corners, np.asarray(colour).tolist(), -1)
        if label is not None:
            cv2.rectangle(self.label, *corners, label, -1)

    def oval(self, x, y, rx, ry, colour, label=None):
        at = self._pixel(x, y)
        axes = (max(1, round(rx * self.ppm)), max(1, round(ry * self.ppm)))
        shape = (at, axes, 0, 0, 360)
        cv2.ellipse(self.img, *shape, np.asarray(colour).tolist(), -1)
        if label is not None:
            cv2.ellipse(self.label, *shape, label, -1)

    def ring(self, x, y, r, colour, label):
        at, radius = self._pixel(x, y), round(r * self.ppm)
        width = max(2, round(0.08 * self.ppm))
        cv2.circle(self.img, at, radius, np.asarray(colour).tolist(), width)
        cv2.circle(self.label, at, radius, label, width)

    def polygon(self, points, colour, label=None):
        points = np.array([self._pixel(*p) for p in points])
        cv2.fillPoly(self.img, [points], np.asarray(colour).tolist())
        if label is not None:
            cv2.fillPoly(self.label, [points], label)

    def line(self, start, end, width, colour, label=None):
        ends = self._pixel(*start), self._pixel(*end)
        width = max(2, round(width * self.ppm))
        cv2.line(self.img, *ends, np.asarray(colour).tolist(), width)
        if label is not None:
            cv2.line(self.label, *ends, label, width)

    def sprite(self, shadow: bool = False) -> Sprite:
        grain = tx.noise(self.rng, *self.label.shape, 3) * 8
        img = np.clip(self.img + grain[..., None], 0, 255)
        return Sprite(img.astype(np.uint8), self.label, self.height, shadow)


def car(rng) -> Sprite:
    """A car from behind or from the front."""
    width, height = rng.uniform(1.65, 1.9), rng.uniform(1.35, 1.75)
    draw = _Canvas(rng, height, width)
    body, glass = tx.colour(rng, 30, 225, 32), tx.colour(rng, 25, 110, 8)
    belt, inset = 0.58 * height, 0.13 * width
    for x in (0.02, width - 0.27):
        draw.box(x, 0.35, x + 0.25, 0, (25, 25, 25), tx.CAR)
    draw.polygon(
        [
            (0, belt),
            (inset, height),
            (width - inset, height),
            (width, belt),
        ],
        body * 0.85,
        tx.CAR,
    )
    draw.polygon(
        [
            (0.09 * width, belt),
            (inset + 0.06, height - 0.1),
            (width - inset - 0.06, height - 0.1),
            (0.91 * width, belt),
        ],
        glass,
    )
    draw.box(0, belt + 0.03, width, 0.2, body, tx.CAR)
    draw.box(0, 0.34, width, 0.22, body * 0.5)
    lamp = (40, 40, 190) if rng.random() < 0.5 else (215, 235, 240)
    for x in (0.05, width - 0.4):
        draw.box(x, belt - 0.08, x + 0.35, belt - 0.25, lamp)
    plate = width / 2
    draw.box(plate - 0.26, 0.5, plate + 0.26, 0.38, (215, 215, 215))
    return draw.sprite(shadow=True)


def side_car(rng) -> Sprite:
    """A car from the side."""
    length, height = rng.uniform(3.9, 4.6), rng.uniform(1.4, 1.6)
    draw = _Canvas(rng, height, length)
    body, glass = tx.colour(rng, 30, 225, 32), tx.colour(rng, 25, 110, 8)
    belt = 0.9
    roof = [(0.8, belt), (1.35, height), (2.9, height), (3.6, belt)]
    draw.polygon(roof, body * 0.9, tx.CAR)
    draw.polygon(
        [(0.95, belt), (1.45, height - 0.1), (2.8, height - 0.1), (3.4, belt)],
        glass,
    )
    draw.box(2.1, height - 0.1, 2.2, belt, body)
    draw.box(0.05, belt, length - 0.05, 0.3, body, tx.CAR)
    for x in (0.85, length - 0.85):
        draw.oval(x, 0.33, 0.33, 0.33, (25, 25, 25), tx.CAR)
        draw.oval(x, 0.33, 0.17, 0.17, (140, 140, 140))
    return draw.sprite(shadow=True)


def big_vehicle(rng) -> Sprite:
    """A lorry or a bus from behind."""
    bus = rng.random() < 0.5
    width, height = 2.5, rng.uniform(2.9, 3.4)
    draw = _Canvas(rng, height, width)
    label = tx.BUS if bus else tx.TRUCK
    body = tx.colour(rng, 40, 230, 34)
    for x in (0.1, width - 0.6):
        draw.box(x, 0.5, x + 0.5, 0, (25, 25, 25), label)
    draw.box(0, height, width, 0.4, body, label)
    if bus:
        draw.box(0.15, height - 0.3, width - 0.15, 1.5, (55, 50, 45))
        draw.box(
            0.5, height - 0.05, width - 0.5, height - 0.28, (30, 160, 220)
        )
        draw.box(0.2, 1.1, 0.6, 0.9, (40, 40, 200))
        draw.box(width - 0.6, 1.1, width - 0.2, 0.9, (40, 40, 200))
    else:
        for x in np.linspace(0.25, width - 0.25, 5):
            draw.line((x, height - 0.1), (x, 0.8), 0.04, body * 0.8)
        draw.box(0, 0.75, width, 0.4, (60, 60, 60))
        draw.box(0.1, 0.7, 0.5, 0.5, (40, 40, 200))
        draw.box(width - 0.5, 0.7, width - 0.1, 0.5, (40, 40, 200))
    return draw.sprite(shadow=True)


def person(rng, phase: float = 0.0, tone=None) -> Sprite:
    """Somebody on foot; ``phase`` in [-1, 1] says where the legs are."""
    height = tone['height'] if tone else rng.uniform(1.55, 1.9)
    tone = tone or dress(rng)
    draw = _Canvas(rng, height, 0.8)
    _body(draw, 0.4, 0.0, height, tone, phase, tx.PERSON)
    return draw.sprite()


def dress(rng) -> dict:
    """What somebody wears, kept while the legs move."""
    return dict(
        height=rng.uniform(1.55, 1.9),
        coat=tx.colour(rng, 25, 225, 36),
        legs=tx.colour(rng, 20, 150, 18),
        skin=np.array([90, 120, 165]) * rng.uniform(0.6, 1.3),
    )


def _body(draw, x, ground, top, tone, phase, label) -> None:
    tall = top - ground
    hip, neck = ground + 0.48 * tall, ground + 0.83 * tall
    for side in (-1, 1):
        foot = (x + side * phase * 0.25, ground + 0.04)
        draw.line((x, hip), foot, 0.17, tone['legs'], label)
        hand = (x - side * (0.2 + 0.08 * phase), hip + 0.05)
        draw.line((x, neck - 0.08), hand, 0.12, tone['coat'] * 0.85, label)
    middle = (hip + neck) / 2
    draw.oval(x, middle, 0.2, 0.22 * tall, tone['coat'], label)
    draw.oval(x, top - 0.12, 0.11, 0.13, tone['skin'], label)


def cyclist(rng) -> Sprite:
    """A rider on a bicycle, from behind and a little from the side."""
    draw = _Canvas(rng, 1.85, 1.3)
    metal = tx.colour(rng, 20, 220, 30)
    for x in (0.35, 0.95):
        draw.ring(x, 0.36, 0.32, (30, 30, 30), tx.BICYCLE)
    draw.line((0.35, 0.36), (0.6, 0.85), 0.09, metal, tx.BICYCLE)
    draw.line((0.95, 0.36), (0.6, 0.85), 0.09, metal, tx.BICYCLE)
    draw.line((0.35, 0.36), (0.95, 0.36), 0.09, metal, tx.BICYCLE)
    _body(draw, 0.62, 0.5, 1.83, dress(rng), 0.5, tx.RIDER)
    return draw.sprite()


def tree(rng) -> Sprite:
    """A tree: trunk and crown are both vegetation, as in Cityscapes."""
    height = rng.uniform(4.5, 8.0)
    width, ppm = height * rng.uniform(0.6, 0.85), 16.0
    draw = _Canvas(rng, height, width, ppm)
    trunk = tx.colour(rng, 30, 110, 12)
    middle = width / 2
    draw.line((middle, 0), (middle, height / 2), 0.3, trunk, tx.VEGETATION)
    crown = tx.leaves(rng, *draw.label.shape)
    mask = np.zeros_like(draw.label)
    h, w = mask.shape
    for _ in range(14):
        at = (
            int(rng.normal(w / 2, w / 7)),
            int(np.clip(rng.normal(0.33 * h, 0.12 * h), 0.14 * h, 0.6 * h)),
        )
        cv2.circle(mask, at, int(rng.uniform(0.1, 0.2) * w), 1, -1)
    mask &= tx.noise(rng, h, w, 3) > -0.75
    draw.img[mask > 0] = crown[mask > 0]
    draw.label[mask > 0] = tx.VEGETATION
    return draw.sprite()


def post(rng) -> Sprite:
    """A pole with a traffic light or a sign, or a street lamp."""
    kind = rng.choice(['light', 'sign', 'lamp'], p=[0.4, 0.4, 0.2])
    height = rng.uniform(5, 7) if kind == 'lamp' else rng.uniform(2.9, 3.6)
    draw = _Canvas(rng, height, 1.6)
    metal = tx.colour(rng, 50, 200, 10)
    middle = 0.8
    draw.line((middle, 0), (middle, height - 0.1), 0.14, metal, tx.POLE)
    if kind == 'lamp':
        draw.line(
            (middle, height - 0.12), (1.5, height - 0.12), 0.1, metal, tx.POLE
        )
    elif kind == 'light':
        case = (middle - 0.2, height, middle + 0.2, height - 1.0)
        draw.box(*case, tx.colour(rng, 20, 90, 8), tx.TRAFFIC_LIGHT)
        lamps = [(60, 60, 70)] * 3
        on = rng.integers(3)
        lamps[on] = [(50, 50, 240), (40, 190, 240), (90, 220, 70)][on]
        for i, lamp in enumerate(lamps):
            y = height - 0.2 - 0.3 * i
            draw.oval(middle, y, 0.11, 0.11, lamp)
    else:
        face, rim = tx.colour(rng, 60, 240, 45), tx.colour(rng, 60, 240, 45)
        y = height - 0.4
        if rng.random() < 0.5:
            draw.oval(middle, y, 0.38, 0.38, rim, tx.TRAFFIC_SIGN)
            draw.oval(middle, y, 0.27, 0.27, face)
        else:
            tip = (middle, height), (0.36, y - 0.33), (1.24, y - 0.33)
            draw.polygon(tip, rim, tx.TRAFFIC_SIGN)
            draw.box(0.68, y + 0.05, 0.92, y - 0.22, face)
    return draw.sprite()
