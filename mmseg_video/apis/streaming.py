"""A trained model as a function of frames."""

import numpy as np
import torch
from mmengine import Config
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from mmengine.runner.checkpoint import _load_checkpoint
from mmseg.registry import DATASETS, MODELS

from ..engine.checkpoints import check_checkpoint
from ..engine.hooks import report_checkpoint
from ..engine.launch import load_config, plain_batch_norm


class Segmenter:
    """Maps frames (H, W, 3) uint8 BGR, in order, to label maps (H, W).

    A recurrent model carries its states from frame to frame; a framewise one
    has none. Frames go in at their own size; where that changes, a new
    stream begins.

    Args:
        config (str): Path of the config.
        checkpoint (str): Path of its checkpoint.
        device (str | None): Defaults to None, a GPU where there is one.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If the checkpoint is cut short.
        RuntimeError: If the checkpoint does not cover the model.
    """

    def __init__(
        self, config: str, checkpoint: str, device: str | None = None
    ):
        cfg = load_config(config)
        check_checkpoint(checkpoint)
        device = device or ('cuda' if torch.cuda.is_available() else 'cpu')
        init_default_scope(cfg.get('default_scope', 'mmseg'))
        plain_batch_norm(cfg.model)
        # Weights come from the checkpoint: fetch no others.
        cfg.model.backbone.init_cfg = None
        self.model = MODELS.build(cfg.model)
        loaded = _load_checkpoint(checkpoint, map_location='cpu')
        weights = {
            key.removeprefix('module.'): value
            for key, value in loaded.get('state_dict', loaded).items()
        }
        report_checkpoint(self.model, weights, checkpoint, need_all=True)
        self.model.load_state_dict(weights, strict=False)
        self.model.to(device)
        self.model.eval()
        self.classes, self.palette = _names(cfg, loaded)
        self.reset()

    def reset(self) -> None:
        """The next frame begins a new stream."""
        self._states, self._size = None, None

    @torch.no_grad()
    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Train ids (H, W) uint8 of the stream's next frame."""
        size = frame.shape[:2]
        if self._size not in (None, size):
            print_log(
                f'the frames change from {self._size} to {size}: a new '
                'stream begins',
                logger='current',
            )
            self._states = None
        self._size = size
        tensor = torch.from_numpy(
            np.ascontiguousarray(frame.transpose(2, 0, 1))
        )
        inputs = self.model.data_preprocessor(dict(inputs=[tensor]))['inputs']
        if hasattr(self.model, 'step'):
            # (1, T=1, C, H, W) -> (1, C, H, W)
            logits, self._states = self.model.step(inputs[:, 0], self._states)
        else:
            metas = [dict(img_shape=size, ori_shape=size, pad_shape=size)]
            logits = self.model.encode_decode(inputs, metas)
        return logits[0].argmax(0).to(torch.uint8).cpu().numpy()


def _names(cfg: Config, checkpoint: dict) -> tuple:
    """Classes and palette: the checkpoint's, else the data set's."""
    meta = checkpoint.get('meta', {}).get('dataset_meta') or {}
    if 'classes' not in meta:
        meta = DATASETS.get(cfg.test_dataloader.dataset.type).METAINFO
    return meta['classes'], meta['palette']
