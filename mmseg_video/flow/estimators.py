"""Optical flow for the temporal metrics: backends behind one registry.

A backend maps two frames (H, W, 3) uint8 BGR to the flow (H, W, 2) float32:
the pixel (x, y) of the first is found at (x, y) + flow[y, x] in the second.
"""

import os
from abc import ABC, abstractmethod
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine import Registry

# Configs run in mmseg's scope; in another, MMEngine warns at every build.
OPTICAL_FLOWS = Registry('optical flow', scope='mmseg')


class OpticalFlow(ABC):
    """The flow between two frames."""

    @abstractmethod
    def __call__(
        self, first: np.ndarray, second: np.ndarray, name: str | None = None
    ) -> np.ndarray:
        """Flow (H, W, 2) from the first frame to the second.

        Args:
            first, second (ndarray): Frames (H, W, 3) uint8 BGR.
            name (str | None): Of the pair, ``SEQUENCE/FRAME_FRAME``. Defaults
                to None.
        """


class ComputedFlow(OpticalFlow):
    """Flow that is computed, and kept on disk where there is a cache.

    Args:
        cache_dir (str | None): Where flow is kept, one ``.flo`` for each pair
            (``SEQUENCE/FRAME_FRAME.flo``), by this and later runs. One folder
            serves one backend, one size, and the frames as they are: a
            pair is known by its name alone. Defaults to None.
    """

    def __init__(self, cache_dir: str | None = None):
        self.cache_dir = Path(cache_dir) if cache_dir else None

    def __call__(
        self, first: np.ndarray, second: np.ndarray, name: str | None = None
    ) -> np.ndarray:
        """Flow (H, W, 2), from the cache if it has the pair ``name``.

        Raises:
            ValueError: If the frames, or the cached flow, have another size.
        """
        if first.shape != second.shape:
            raise ValueError(
                f'optical flow needs two frames of one size, got '
                f'{first.shape[:2]} and {second.shape[:2]} ({name})'
            )
        if self.cache_dir is None or name is None:
            return self.compute(first, second)
        path = self.cache_dir / f'{name}.flo'
        if path.exists():
            return read_flow(path, first.shape[:2])
        flow = self.compute(first, second)
        write_flow(path, flow)
        return flow

    @abstractmethod
    def compute(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Flow (H, W, 2) float32 between frames (H, W, 3) uint8 BGR."""


@OPTICAL_FLOWS.register_module()
class DISFlow(ComputedFlow):
    """Dense inverse search (Kroeger et al., ECCV 2016), by OpenCV.

    Args:
        preset (str): 'ultrafast', 'fast' or 'medium'. Defaults to 'medium'.
        kwargs: :class:`ComputedFlow`'s.
    """

    def __init__(self, preset: str = 'medium', **kwargs):
        super().__init__(**kwargs)
        presets = ('ultrafast', 'fast', 'medium')
        if preset not in presets:
            raise ValueError(
                f"preset must be one of {presets}, not '{preset}'"
            )
        name = f'DISOPTICAL_FLOW_PRESET_{preset.upper()}'
        self._dis = cv2.DISOpticalFlow_create(getattr(cv2, name))

    def compute(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return self._dis.calc(_grey(first), _grey(second), None)


@OPTICAL_FLOWS.register_module()
class FarnebackFlow(ComputedFlow):
    """Farneback's polynomial expansion (SCIA 2003), by OpenCV."""

    def compute(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return cv2.calcOpticalFlowFarneback(
            *(_grey(first), _grey(second), None),
            pyr_scale=0.5,
            levels=5,
            winsize=15,
            iterations=3,
            poly_n=5,
            poly_sigma=1.2,
            flags=0,
        )


@OPTICAL_FLOWS.register_module()
class RAFTFlow(ComputedFlow):
    """RAFT (Teed and Deng, ECCV 2020), by torchvision.

    Args:
        weights (str): Path of the weights of torchvision's RAFT, or 'default'
            for torchvision's own, which it keeps in its cache or downloads.
        size (str): 'large' or 'small'. Defaults to 'large'.
        device (str | None): Defaults to None, a GPU where there is one.
        kwargs: :class:`ComputedFlow`'s.

    Raises:
        FileNotFoundError: If the weights are not there.
    """

    def __init__(
        self,
        weights: str = 'default',
        size: str = 'large',
        device: str | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        from torchvision.models import optical_flow

        self.device = device or (
            'cuda' if torch.cuda.is_available() else 'cpu'
        )
        model = getattr(optical_flow, f'raft_{size}')
        if weights == 'default':
            try:
                self._raft = model(weights='DEFAULT')
            except OSError as error:
                raise FileNotFoundError(
                    f"RAFT's weights can be neither found nor downloaded "
                    f'({error}): name their file with weights=PATH, or take '
                    'DISFlow'
                ) from None
        else:
            if not os.path.isfile(weights):
                raise FileNotFoundError(f"no RAFT weights '{weights}'")
            self._raft = model(weights=None)
            self._raft.load_state_dict(torch.load(weights, 'cpu'))
        self._raft.to(self.device).eval()

    @torch.no_grad()
    def compute(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        height, width = first.shape[:2]
        # RAFT works at stride 8, with pyramids of at least 16 cells there.
        bottom = max(-height % 8, 128 - height)
        right = max(-width % 8, 128 - width)

        def tensor(frame):
            frame = cv2.copyMakeBorder(
                frame, 0, bottom, 0, right, cv2.BORDER_REPLICATE
            )
            rgb = torch.from_numpy(frame[..., ::-1].copy()).to(self.device)
            return rgb.permute(2, 0, 1)[None].float() / 127.5 - 1

        flow = self._raft(tensor(first), tensor(second))[-1][0]
        flow = flow.permute(1, 2, 0)[:height, :width]
        return flow.cpu().numpy()


@OPTICAL_FLOWS.register_module()
class PrecomputedFlow(OpticalFlow):
    """Flow from ``.flo`` files that are there, whoever made them.

    Args:
        cache_dir (str): The folder, laid out as a cache.

    Raises:
        FileNotFoundError: If the folder, or a pair's file, is not there.
    """

    def __init__(self, cache_dir: str):
        self.cache_dir = Path(cache_dir)
        if not self.cache_dir.is_dir():
            raise FileNotFoundError(f"no folder of flow '{cache_dir}'")

    def __call__(
        self, first: np.ndarray, second: np.ndarray, name: str | None = None
    ) -> np.ndarray:
        path = self.cache_dir / f'{name}.flo'
        if not path.exists():
            raise FileNotFoundError(
                f"no flow '{path}': make it, or take DISFlow"
            )
        return read_flow(path, first.shape[:2])


def read_flow(path: str | os.PathLike, size: tuple[int, int]) -> np.ndarray:
    """The flow (H, W, 2) of a ``.flo`` file.

    Raises:
        ValueError: If it is broken or of another size.
    """
    flow = cv2.readOpticalFlow(str(path))
    if flow is None:
        raise ValueError(f"'{path}' is no readable .flo file: remove it")
    if flow.shape[:2] != tuple(size):
        raise ValueError(
            f"the flow '{path}' is {flow.shape[:2]}, the frames are {size}: "
            'it was made at another size; remove it, or name another cache_dir'
        )
    return flow


def write_flow(path: str | os.PathLike, flow: np.ndarray) -> None:
    """Write a ``.flo`` file, whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f'.{os.getpid()}.{path.name}')
    if not cv2.writeOpticalFlow(str(temporary), flow):
        temporary.unlink(missing_ok=True)
        raise OSError(f"the flow '{path}' cannot be written")
    temporary.replace(path)


def _grey(frame: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
