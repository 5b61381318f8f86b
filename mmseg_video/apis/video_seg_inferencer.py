"""A trained model as a function of frames."""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from os import PathLike

import numpy as np
import torch
from mmengine import Config
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from mmengine.runner.checkpoint import _load_checkpoint
from mmseg.registry import DATASETS, MODELS

from ..engine.checkpoints import check_checkpoint
from ..engine.hooks import report_checkpoint
from ..engine.launch import autocast_test, load_config, revert_sync_bn
from ..engine.pretrained import fetch_nothing
from ..engine.speed import speed_settings, speed_up
from ..io.frame_source import FrameSource
from ..io.frames import open_frames
from ..models.clip_segmentor import States, keep_finite
from ..visualization import overlay


@dataclass
class Prediction:
    """What a model says of one frame (H, W, 3).

    ``label`` is the map (H, W) uint8 of train ids; ``probabilities``, where
    they were asked for, (classes, H, W) float32.
    """

    frame: np.ndarray
    label: np.ndarray
    palette: list
    probabilities: np.ndarray | None = None

    def overlay(self, opacity: float = 0.5) -> np.ndarray:
        """The frame (H, W, 3) uint8 BGR under its label map in colours."""
        return overlay(self.frame, self.label, self.palette, opacity)


@dataclass
class _Stream:
    """Where a stream is."""

    size: tuple[int, int]
    states: States | None = None


class VideoSegInferencer:
    """Predicts video, with states carried from frame to frame.

    A whole video, lazily::

        for prediction in inferencer.predict('video.mp4'):
            show(prediction.overlay())

    A loop of one's own::

        inferencer.reset()                       # before each video
        for frame in camera:                     # (H, W, 3) uint8 BGR
            label = inferencer.predict_frame(frame).label

    Several cameras in one batch, each with its own states::

        predictions = inferencer.predict_frames({'left': a, 'right': b})

    Frames go in at their own size. Where that changes, a new stream begins;
    framewise models have no states and see every frame alone. What the config
    says of speed (``default_hooks.speed``) holds here too.

    Args:
        config (str): Path of the config.
        checkpoint (str): Path of its checkpoint.
        device (str | None): Defaults to None, a GPU where there is one.
        amp (bool): Mixed precision: float16 on a GPU, bfloat16 on a CPU.
            Defaults to False.
        probabilities (bool): Whether predictions have them. Defaults to
            False.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If the checkpoint is cut short.
        RuntimeError: If the checkpoint does not cover the model.
    """

    def __init__(
        self,
        config: str,
        checkpoint: str,
        device: str | None = None,
        amp: bool = False,
        probabilities: bool = False,
    ):
        cfg = load_config(config)
        check_checkpoint(checkpoint)
        device = device or ('cuda' if torch.cuda.is_available() else 'cpu')
        init_default_scope(cfg.get('default_scope', 'mmseg'))
        revert_sync_bn(cfg.model)
        # Weights come from the checkpoint: fetch no others.
        fetch_nothing(cfg.model)
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
        speed_up(self.model, **speed_settings(cfg))
        self.classes, self.palette = _names(cfg, loaded)
        self.amp, self.probabilities = amp, probabilities
        self._streams: dict[Hashable, _Stream] = {}

    def reset(self, stream_id: Hashable | None = None) -> None:
        """The next frame begins a new stream: all of them, or this one."""
        if stream_id is None:
            self._streams.clear()
        else:
            self._streams.pop(stream_id, None)

    def predict(
        self,
        source: str | PathLike | int | FrameSource | Iterable[np.ndarray],
    ) -> Iterator[Prediction]:
        """Predictions of a whole video, one at a time, from a fresh start.

        Memory does not grow with its length. The stream is its own: other
        videos and :meth:`predict_frame` can go on in between.

        Args:
            source: A video file, folder, glob, camera number or address
                (``rtsp://...``), see :func:`open_frames`; or frames
                (H, W, 3) uint8 BGR, as arrays or tensors.
        """
        if isinstance(source, str | PathLike | int):
            source = open_frames(source)
        stream_id = object()
        try:
            for frame in source:
                yield self.predict_frame(frame, stream_id)
        finally:
            self.reset(stream_id)

    def predict_frame(
        self,
        frame: np.ndarray | torch.Tensor,
        stream_id: Hashable = 'default',
    ) -> Prediction:
        """The prediction of a stream's next frame (H, W, 3) uint8 BGR."""
        return self.predict_frames({stream_id: frame})[stream_id]

    def predict_frames(
        self, frames: dict[Hashable, np.ndarray | torch.Tensor]
    ) -> dict[Hashable, Prediction]:
        """Predictions of the next frames of several streams, in one batch.

        Each is what it would be if its stream ran alone. Frames of one size
        share a batch.

        Args:
            frames (dict): Name of the stream -> its frame (H, W, 3) uint8 BGR.

        Raises:
            ValueError: If a frame has another shape or dtype.
        """
        arrays = {k: _as_array(frame, k) for k, frame in frames.items()}
        batches: dict[tuple, list] = {}
        for stream_id, frame in arrays.items():
            batches.setdefault(frame.shape[:2], []).append(stream_id)
        predictions = {}
        for size, stream_ids in batches.items():
            streams = [self._stream(name, size) for name in stream_ids]
            logits = self._step([arrays[name] for name in stream_ids], streams)
            for name, scores in zip(stream_ids, logits, strict=True):
                predictions[name] = self._prediction(arrays[name], scores)
        return {name: predictions[name] for name in frames}

    def _stream(self, stream_id: Hashable, size: tuple[int, int]) -> _Stream:
        stream = self._streams.get(stream_id)
        if stream is not None and stream.size != size:
            print_log(
                f'the frames of stream {stream_id!r} change from '
                f'{stream.size} to {size}: a new stream begins',
                logger='current',
            )
            stream = None
        if stream is None:
            stream = self._streams[stream_id] = _Stream(size)
        return stream

    @torch.no_grad()
    def _step(
        self, frames: list[np.ndarray], streams: list[_Stream]
    ) -> torch.Tensor:
        """Logits (N, classes, H, W); moves the streams on."""
        inputs = [
            torch.from_numpy(np.ascontiguousarray(f.transpose(2, 0, 1)))
            for f in frames
        ]
        inputs = self.model.data_preprocessor(dict(inputs=inputs))['inputs']
        size = frames[0].shape[:2]
        with autocast_test(self.amp):
            if not hasattr(self.model, 'step'):
                meta = dict(img_shape=size, ori_shape=size, pad_shape=size)
                return self.model.encode_decode(inputs, [meta] * len(frames))
            # (N, T=1, C, H, W) -> (N, C, H, W)
            logits, states = self.model.step(
                inputs[:, 0], join([stream.states for stream in streams])
            )
        for i, stream in enumerate(streams):
            after = tuple(
                tuple(part[i : i + 1].clone() for part in state)
                for state in states
            )
            stream.states = keep_finite(after, stream.states)
        return logits

    def _prediction(
        self, frame: np.ndarray, scores: torch.Tensor
    ) -> Prediction:
        probabilities = None
        if self.probabilities:
            probabilities = scores.float().softmax(0).cpu().numpy()
        label = scores.argmax(0).to(torch.uint8).cpu().numpy()
        return Prediction(frame, label, self.palette, probabilities)


def join(states: list[States | None]) -> States | None:
    """The states of N streams as those of a batch of N.

    A stream that begins has None, which is worth maps of zeros.
    """
    begun = next((s for s in states if s is not None), None)
    if begun is None:
        return None
    zeros = tuple(
        tuple(torch.zeros_like(part) for part in state) for state in begun
    )
    states = [zeros if s is None else s for s in states]
    return tuple(
        tuple(torch.cat(parts) for parts in zip(*modules, strict=True))
        for modules in zip(*states, strict=True)
    )


def _as_array(frame: np.ndarray | torch.Tensor, stream_id) -> np.ndarray:
    if isinstance(frame, torch.Tensor):
        frame = frame.cpu().numpy()
    if (
        not isinstance(frame, np.ndarray)
        or frame.dtype != np.uint8
        or frame.ndim != 3
        or frame.shape[2] != 3
    ):
        got = type(frame).__name__
        if isinstance(frame, np.ndarray):
            got = f'{frame.shape} {frame.dtype}'
        raise ValueError(
            f'stream {stream_id!r}: a frame must be (H, W, 3) uint8, blue '
            f'first, got {got}'
        )
    return frame


def _names(cfg: Config, checkpoint: dict) -> tuple:
    """Classes and palette: the checkpoint's, else the data set's."""
    meta = checkpoint.get('meta', {}).get('dataset_meta') or {}
    if 'classes' not in meta:
        meta = DATASETS.get(cfg.test_dataloader.dataset.type).METAINFO
    return meta['classes'], meta['palette']
