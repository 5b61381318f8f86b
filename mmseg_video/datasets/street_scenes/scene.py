"""A street and a camera that drives through it."""

import math

import cv2
import numpy as np

from ..degradations import NOISE_SIGMA, degrade, draw_bursts
from . import sprites
from . import textures as tx

NUM_FRAMES, KEY_FRAME = 30, 19  # a snippet, and its labelled frame
SPLITS = {'train': 0, 'val': 1, 'test': 2}
FRAME_SECONDS = 1 / 17  # Cityscapes' frame rate
CAMERA_HEIGHT = 1.5
NEAR, FAR = 1.2, 48.0  # metres: what is drawn of the actors


class _Actor:
    """A sprite with a place (x, z) in metres and a velocity in m/s."""

    def __init__(self, looks, x, z, vx=0.0, vz=0.0, step_seconds=0.18):
        self.looks, self.x, self.z = looks, x, z
        self.vx, self.vz, self.step_seconds = vx, vz, step_seconds

    def at(self, t: float):
        look = self.looks[int(t / self.step_seconds) % len(self.looks)]
        return look, self.x + self.vx * t, self.z + self.vz * t


class StreetScene:
    """One snippet: ``frame(t)`` gives image (H, W, 3) and label (H, W).

    A ground plane, a far and a near row on each side, and sprites that face
    the camera are drawn from far to near, image and label by the same
    geometry. Everything is drawn from ``(seed, split, index)`` alone.

    Args:
        seed (int): Seed of the whole data set.
        split (str): 'train', 'val' or 'test'.
        index (int): Number of the snippet in its split.
        height, width (int): Of a frame, in pixels.
        burst_rate (float): Bursts of bad frames that begin, per frame; the
            scene is the same whatever it is. Defaults to 0.1: with bursts of
            up to three frames, 19 % of the frames are degraded.
        longest_burst (int): In frames. Defaults to 3.
    """

    def __init__(
        self,
        seed: int,
        split: str,
        index: int,
        height: int = 256,
        width: int = 512,
        burst_rate: float = 0.1,
        longest_burst: int = 3,
    ):
        self.key = [seed, SPLITS[split], index]
        rng = np.random.default_rng(self.key)
        self.height, self.width = height, width
        # Drawn apart, so that a scene can be had clean and degraded.
        self.bursts = draw_bursts(
            np.random.default_rng([*self.key, NUM_FRAMES]),
            *(NUM_FRAMES, burst_rate, longest_burst),
        )
        self._set_camera(rng)
        self._build_street(rng)
        self._place_actors(rng)
        self._set_light(rng)

    def _set_camera(self, rng) -> None:
        self.focal = self.width * rng.uniform(0.75, 1.0)
        self.horizon = self.height * rng.uniform(0.36, 0.46)
        self.speed = rng.uniform(2, 11)
        self.lane = rng.uniform(1.0, 2.2)
        self.sway = rng.uniform(0.2, 1, 4) * [0.02, 0.012, 2.5, 4]
        self.turn = rng.normal(0, 0.025)
        self.phase = rng.uniform(0, 2 * math.pi, 2)

    def _build_street(self, rng) -> None:
        self.length = self.speed * NUM_FRAMES * FRAME_SECONDS + 85
        self.road = rng.uniform(3.6, 5.0)
        self.walk = rng.uniform(1.8, 3.2)
        verge = self.road + self.walk
        self.ground = tx.ground(rng, self.length, 22, self.road, self.walk)
        self.sky = tx.sky(rng, math.ceil(self.horizon) + 8, 2 * self.width)
        self.rows = []  # far rows first: (x in metres, strip)
        for kind, offset in (('far', (3.0, 6.5)), ('near', (0.5, 1.8))):
            for side in (-1, 1):
                x = side * (verge + rng.uniform(*offset))
                self.rows.append((x, tx.roadside(rng, self.length, kind)))

    def _place_actors(self, rng) -> None:
        actors = []
        verge = self.road + self.walk

        def along(spacing, start=6.0):
            z = start + rng.uniform(0, spacing)
            while z < self.length - 5:
                yield z
                z += spacing * rng.uniform(0.5, 1.5)

        trees = [sprites.tree(rng) for _ in range(3)]
        posts = [sprites.post(rng) for _ in range(4)]
        cars = [sprites.car(rng) for _ in range(4)]
        for side in (-1, 1):
            if rng.random() < 0.75:
                x = verge + rng.uniform(0.2, 1.2)
                for z in along(16):
                    look = trees[rng.integers(3)]
                    actors.append(_Actor([look], side * x, z))
            for z in along(13):
                look = posts[rng.integers(4)]
                actors.append(_Actor([look], side * (self.road + 0.5), z))
            if rng.random() < 0.7:  # parked cars
                for z in along(9):
                    look = cars[rng.integers(4)]
                    x = side * (self.road - 0.9)
                    actors.append(_Actor([look], x, z))
            for z in along(11, 4.0):  # people on the pavement
                walk = rng.choice([-1, 1]) * rng.uniform(0.7, 1.7)
                x = side * (self.road + rng.uniform(0.6, self.walk))
                actors.append(_Actor(self._walker(rng), x, z, vz=walk))
        for z in along(30, 8):  # people who cross
            walk = rng.choice([-1, 1]) * rng.uniform(0.9, 1.9)
            x = -walk * rng.uniform(0, 4)
            actors.append(_Actor(self._walker(rng), x, z, vx=walk))
        if rng.random() < 0.85:  # traffic ahead
            look = cars[0]
            if rng.random() < 0.45:
                look = sprites.big_vehicle(rng)
            vz = self.speed + rng.normal(0.5, 1.5)
            z = rng.uniform(8, 24)
            actors.append(_Actor([look], self.lane, z, vz=vz))
        for z in along(22, 18):  # oncoming traffic
            look = cars[1 + rng.integers(3)]
            if rng.random() < 0.25:
                look = sprites.big_vehicle(rng)
            vz = -rng.uniform(3, 10)
            actors.append(_Actor([look], -self.road * 0.45, z, vz=vz))
        if rng.random() < 0.6:  # a car that crosses
            vx = rng.choice([-1, 1]) * rng.uniform(2.5, 6)
            look, z = sprites.side_car(rng), rng.uniform(14, 32)
            actors.append(_Actor([look], -vx * rng.uniform(0, 2), z, vx=vx))
        for side in (-1, 1):
            if rng.random() < 0.75:
                vz = side * rng.uniform(2.5, 5)
                x, z = side * (self.road - 0.5), rng.uniform(5, 16)
                z += max(0, -vz)
                look = sprites.cyclist(rng)
                actors.append(_Actor([look], x, z, vz=vz))
        self.actors = actors

    @staticmethod
    def _walker(rng) -> list:
        """Legs apart, together, apart the other way, together."""
        dress = sprites.dress(rng)
        looks = [sprites.person(rng, phase, dress) for phase in (-1, 0, 1)]
        return [looks[0], looks[1], looks[2], looks[1]]

    def _set_light(self, rng) -> None:
        self.gain = rng.uniform(0.65, 1.15)
        self.tint = 1 + rng.normal(0, 0.05, 3)
        self.drift = rng.uniform(0, 0.25), rng.uniform(0, 2 * math.pi)
        self.shadow = None
        if rng.random() < 0.25:  # under a bridge for a while
            start = rng.integers(0, NUM_FRAMES)
            self.shadow = (start, start + rng.integers(4, 12))
        self.grain = rng.uniform(2, 7)
        size = (self.height + 64, self.width + 64, 3)
        self.noise = rng.standard_normal(size, np.float32) * NOISE_SIGMA
        self.noise = self.noise.astype(np.int16)
        self.shutter = rng.uniform(0.2, 0.9)  # part of the time it is open

    def frame(self, t: int) -> tuple[np.ndarray, np.ndarray, str | None]:
        """Image (H, W, 3) uint8 BGR, train ids (H, W) uint8, degradation.

        The degradation is None where the frame is clean. The label is the
        true scene's either way.
        """
        seconds = t * FRAME_SECONDS
        img, label = self._render(seconds)
        img = self._expose(img, t)
        rng = np.random.default_rng([*self.key, t])
        kind = self.bursts.get(t)
        row, column = rng.integers(0, 64, 2)
        noise = self.noise[
            row : row + self.height, column : column + self.width
        ]
        if kind is not None:
            img = self._degrade(img, t, rng, noise)
        alpha = self.grain / NOISE_SIGMA
        img = cv2.addWeighted(img, 1.0, noise, alpha, 0, dtype=cv2.CV_8U)
        return img, label, kind

    def _degrade(self, img, t, rng, noise) -> np.ndarray:
        return degrade(img, self.bursts[t], rng, noise)

    def _projection(self, seconds: float) -> np.ndarray:
        """Projection (3, 4) of the world's (x, y, z, 1), metres, to pixels."""
        sway = self.sway
        x = self.lane + 4 * sway[0] * math.sin(sway[2] * seconds)
        z = self.speed * seconds
        yaw = self.turn * seconds + sway[1] * math.sin(
            sway[3] * seconds + self.phase[0]
        )
        bounce = 0.006 * self.height * math.sin(9 * seconds + self.phase[1])
        horizon = self.horizon + bounce
        s, c = math.sin(yaw), math.cos(yaw)
        depth = np.array([s, 0, c, -s * x - c * z])
        across = np.array([c, 0, -s, -c * x + s * z])
        down = np.array([0, -1, 0, CAMERA_HEIGHT])
        return np.stack(
            [
                self.focal * across + self.width / 2 * depth,
                self.focal * down + horizon * depth,
                depth,
            ]
        )

    def _render(self, seconds: float) -> tuple[np.ndarray, np.ndarray]:
        projection = self._projection(seconds)
        # Where the street's direction (0, 0, 1) meets the image.
        vanishing = projection[:2, 2] / projection[2, 2]
        img = np.empty((self.height, self.width, 3), np.uint8)
        label = np.empty((self.height, self.width), np.uint8)
        self._draw_sky(img, label, vanishing)
        self._draw_ground(img, label, projection, vanishing)
        for x, strip in self.rows:
            self._draw_row(img, label, projection, vanishing, x, strip)
        self._draw_actors(img, label, projection, seconds)
        return img, label

    def _draw_sky(self, img, label, vanishing) -> None:
        sky, sky_label = self.sky
        rows = min(self.height, max(1, round(vanishing[1]) + 1))
        shift = self.width // 2 - round(vanishing[0] - self.width / 2)
        columns = slice(
            int(np.clip(shift, 0, self.width)),
            int(np.clip(shift, 0, self.width)) + self.width,
        )
        last = sky.shape[0]
        rows = min(rows, last)
        img[:rows] = sky[last - rows :, columns]
        label[:rows] = sky_label[last - rows :, columns]
        img[rows:], label[rows:] = img[rows - 1], tx.TERRAIN

    def _draw_ground(self, img, label, projection, vanishing) -> None:
        texture, ids, ppm = self.ground
        half = texture.shape[1] / ppm / 2
        # Texture (column, row, 1) -> world (x, y, z, 1).
        world = np.array(
            [[1 / ppm, 0, -half], [0, 0, 0], [0, 1 / ppm, 0], [0, 0, 1]]
        )
        box = (0, round(vanishing[1]) + 1, self.width, self.height)
        self._warp(img, label, texture, ids, projection @ world, box)

    def _draw_row(self, img, label, projection, vanishing, x, strip) -> None:
        texture, ids, ppm = strip
        h = texture.shape[0]
        world = np.array(
            [[0, 0, x], [0, -1 / ppm, h / ppm], [1 / ppm, 0, 0], [0, 0, 1]]
        )
        # Nothing of the row is nearer than where the image's edge cuts it.
        distance = max(0.5, abs(x) - self.lane - 1)
        reach = 0.65 * self.width / distance
        top = vanishing[1] - (h / ppm - CAMERA_HEIGHT) * reach
        bottom = vanishing[1] + CAMERA_HEIGHT * reach + 2
        left, right = (0, vanishing[0]) if x < 0 else (vanishing[0], 1e9)
        box = (
            max(0, math.ceil(left)),
            max(0, int(top)),
            min(self.width, int(right)),
            min(self.height, int(bottom)),
        )
        self._warp(img, label, texture, ids, projection @ world, box)

    def _warp(self, img, label, texture, ids, homography, box) -> None:
        """Paste a texture seen through a homography into a box of pixels."""
        x0, y0, x1, y1 = box
        if x0 >= x1 or y0 >= y1:
            return
        move = np.array([[1, 0, -x0], [0, 1, -y0], [0, 0, 1]]) @ homography
        size = (x1 - x0, y1 - y0)
        seen = cv2.warpPerspective(texture, move, size, flags=cv2.INTER_LINEAR)
        seen_ids = cv2.warpPerspective(
            ids,
            move,
            size,
            flags=cv2.INTER_NEAREST,
            borderValue=tx.TRANSPARENT,
        )
        self._paste(img, label, seen, seen_ids, x0, y0)

    @staticmethod
    def _paste(img, label, seen, seen_ids, x0, y0) -> None:
        h, w = seen_ids.shape
        mask = cv2.compare(seen_ids, tx.TRANSPARENT, cv2.CMP_NE)
        part = np.s_[y0 : y0 + h, x0 : x0 + w]
        cv2.copyTo(seen, mask, img[part])
        cv2.copyTo(seen_ids, mask, label[part])

    def _draw_actors(self, img, label, projection, seconds) -> None:
        visible = []
        for actor in self.actors:
            look, x, z = actor.at(seconds)
            u, v, depth = projection @ (x, 0, z, 1)
            if NEAR < depth < FAR:
                visible.append((depth, u / depth, v / depth, look))
        for depth, u, v, look in sorted(visible, key=lambda i: -i[0]):
            self._draw_sprite(img, label, look, u, v, self.focal / depth)

    def _draw_sprite(self, img, label, look, u, v, ppm) -> None:
        """Draw a sprite that stands on pixel (u, v), at ppm pixels a metre."""
        picture, ids, height = look.level(ppm)
        scale = ppm * height / ids.shape[0]
        h, w = ids.shape[0] * scale, ids.shape[1] * scale
        x0, x1 = math.floor(u - w / 2), math.ceil(u + w / 2)
        y0, y1 = math.floor(v - h), math.ceil(v)
        x0, y0 = max(0, x0), max(0, y0)
        x1, y1 = min(self.width, x1), min(self.height, y1)
        if x0 >= x1 or y0 >= y1:
            return
        if look.shadow:
            axes = (round(0.52 * w), max(1, round(0.05 * w)))
            at = (round(u), round(v))
            cv2.ellipse(img, at, axes, 0, 0, 360, (28, 28, 28), -1)
        move = np.array(
            [[scale, 0, u - w / 2 - x0], [0, scale, v - h - y0]], np.float64
        )
        size = (x1 - x0, y1 - y0)
        seen = cv2.warpAffine(picture, move, size, flags=cv2.INTER_LINEAR)
        seen_ids = cv2.warpAffine(
            ids,
            move,
            size,
            flags=cv2.INTER_NEAREST,
            borderValue=tx.TRANSPARENT,
        )
        self._paste(img, label, seen, seen_ids, x0, y0)

    def _expose(self, img: np.ndarray, t: int) -> np.ndarray:
        """Motion blur, then the light of the moment."""
        zoom = 1 + self.speed * FRAME_SECONDS * self.shutter / 18
        x, y = self.width / 2, self.horizon
        move = np.array([[zoom, 0, x - zoom * x], [0, zoom, y - zoom * y]])
        later = cv2.warpAffine(
            img,
            move,
            (self.width, self.height),
            borderMode=cv2.BORDER_REPLICATE,
        )
        img = cv2.addWeighted(img, 0.5, later, 0.5, 0)
        depth, phase = self.drift
        gain = self.gain * (1 + depth * math.sin(0.25 * t + phase))
        if self.shadow and self.shadow[0] <= t < self.shadow[1]:
            gain *= 0.45
        return cv2.transform(img, np.diag(gain * self.tint))
