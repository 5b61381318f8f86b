"""The registry of optical flow estimators, and those that need PyTorch or
files."""

import os
from pathlib import Path

import cv2
import numpy as np
from mmengine import Registry

from .codec import CodecFlow
from .flo_files import read_flow
from .opencv import ComputedFlow, DISFlow, FarnebackFlow, OpticalFlow
from .previous import FlowToPrevious

# Configs run in mmseg's scope; in another, MMEngine warns at every build.
OPTICAL_FLOWS = Registry('optical flow', scope='mmseg')
OPTICAL_FLOWS.register_module(module=DISFlow)
OPTICAL_FLOWS.register_module(module=FarnebackFlow)
OPTICAL_FLOWS.register_module(module=CodecFlow)


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
        import torch
        from torchvision.models import optical_flow

        self.device = device or (
            'cuda' if torch.cuda.is_available() else 'cpu'
        )
        model = getattr(optical_flow, f'raft_{size}')
        if weights == 'default':
            try:
                self._raft = model(weights=None)
                published = optical_flow.__dict__[
                    f'Raft_{size.capitalize()}_Weights'
                ].DEFAULT
                self._raft.load_state_dict(
                    published.get_state_dict(
                        progress=True, check_hash=True, weights_only=True
                    )
                )
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
            self._raft.load_state_dict(_read_weights(weights))
        self._raft.to(self.device).eval()

    def compute(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        import torch

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

        with torch.no_grad():
            flow = self._raft(tensor(first), tensor(second))[-1][0]
        flow = flow.permute(1, 2, 0)[:height, :width]
        return flow.cpu().numpy()


def _read_weights(path: str) -> dict:
    """A file of weights, read as data: nothing in it runs."""
    import torch

    try:
        return torch.load(path, 'cpu', weights_only=True)
    except Exception as error:  # torch has no class for bad files
        raise ValueError(
            f"'{path}' holds no weights of RAFT that can be read as data "
            f'({type(error).__name__}): take a file of tensors alone'
        ) from error


@OPTICAL_FLOWS.register_module()
class PrecomputedFlow(OpticalFlow):
    """Flow from ``.flo`` files that are there, whoever made them.

    Args:
        cache_dir (str): The folder, laid out as a cache.

    Raises:
        FileNotFoundError: If the folder, or a pair's file, is not there.
        ValueError: If a pair has no name.
    """

    def __init__(self, cache_dir: str):
        self.cache_dir = Path(cache_dir)
        if not self.cache_dir.is_dir():
            raise FileNotFoundError(f"no folder of flow '{cache_dir}'")

    def __call__(
        self, first: np.ndarray, second: np.ndarray, name: str | None = None
    ) -> np.ndarray:
        if name is None:
            raise ValueError(
                'PrecomputedFlow serves frames as they are on disk, by their '
                'names: these have none, or were flipped, degraded or '
                'repeated after they were loaded; take DISFlow'
            )
        path = self.cache_dir / f'{name}.flo'
        if not path.exists():
            raise FileNotFoundError(
                f"no flow '{path}': make it, or take DISFlow"
            )
        return read_flow(path, first.shape[:2])


def build_flow(estimator: dict | None = None, **options) -> FlowToPrevious:
    """What maps a frame and the one before it to a flow field.

    Args:
        estimator (dict | None): Config of an optical flow. Defaults to None,
            ``dict(type='DISFlow', preset='fast')``.
        options: :class:`FlowToPrevious`'s.
    """
    if estimator is not None:
        options['estimator'] = OPTICAL_FLOWS.build(estimator)
    return FlowToPrevious(**options)
