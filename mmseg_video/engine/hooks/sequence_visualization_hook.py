import os.path as osp

import mmcv
import numpy as np
import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from ...io.writers import GifWriter
from ...visualization import beside, captioned, overlay
from .sequence_state_hook import unwrap


@HOOKS.register_module()
class SequenceVisualizationHook(Hook):
    """Logs a predicted clip as an image strip, and beside it as a GIF.

    Each frame of the clip is predicted as the end of the clip so far: that is
    what a causal model says of it, framewise or recurrent. The strip goes to
    all the visualiser's backends (local files, TensorBoard, wandb), the GIF
    to the local ones' folder.

    Args:
        interval (int): Every how many validations. Defaults to 1.
        num_clips (int): How many clips, from the first on. Defaults to 1.
        fps (float): Of the GIF. Defaults to 4.
        opacity (float): Of the prediction. Defaults to 0.6.
        test (bool): Whether to do so in tests too. Defaults to False.
    """

    priority = 'LOW'

    def __init__(
        self,
        interval: int = 1,
        num_clips: int = 1,
        fps: float = 4,
        opacity: float = 0.6,
        test: bool = False,
    ):
        self.interval = interval
        self.num_clips = num_clips
        self.fps = fps
        self.opacity = opacity
        self.test = test
        self._validations = 0

    def after_val_epoch(self, runner: Runner, metrics=None) -> None:
        self._validations += 1
        if (self._validations - 1) % self.interval == 0:
            self._log(runner, runner.val_dataloader.dataset, 'val')

    def after_test_epoch(self, runner: Runner, metrics=None) -> None:
        if self.test:
            self._log(runner, runner.test_dataloader.dataset, 'test')

    def _log(self, runner: Runner, dataset, split: str) -> None:
        model = unwrap(runner.model)
        streaming = (getattr(model, 'test_cfg', None) or {}).get('streaming')
        # Clips would take the place of a stream's states.
        if streaming or not is_main_process():
            return
        for i in range(min(self.num_clips, len(dataset))):
            data = dataset[i]
            frames = self._draw(model, data, dataset.metainfo['palette'])
            name = f'{split}_clip_{i}'
            strip = beside(frames)[..., ::-1]  # backends take RGB
            runner.visualizer.add_image(name, strip, runner.iter)
            folder = osp.join(runner.log_dir, 'vis_data', 'vis_image')
            path = osp.join(folder, f'{name}_{runner.iter}.gif')
            with GifWriter(path, self.fps) as gif:
                for frame in frames:
                    gif.write(frame)

    @torch.no_grad()
    def _draw(self, model, data: dict, palette) -> list[np.ndarray]:
        """A panel (2H, W, 3) for each frame: the frame over its overlay."""
        clip, sample = data['inputs'], data['data_samples']
        training = model.training
        model.eval()
        panels = []
        for t in range(len(clip)):
            until = sample.clone()
            if 'flow' in until:
                until.flow = until.flow[: t + 1]
            batch = dict(inputs=[clip[: t + 1]], data_samples=[until])
            (predicted,) = model.test_step(batch)
            label = predicted.pred_sem_seg.data[0].cpu().numpy()
            frame = clip[t].permute(1, 2, 0).cpu().numpy()
            frame = np.ascontiguousarray(frame)
            # Labels are resized to the frame's size on disk.
            label = mmcv.imresize(
                label.astype(np.uint8),
                frame.shape[1::-1],
                interpolation='nearest',
            )
            drawn = overlay(frame, label, palette, self.opacity)
            name = (
                'key frame' if t == len(clip) - 1 else f't-{len(clip) - 1 - t}'
            )
            panels.append(captioned(np.vstack([frame, drawn]), name))
        model.train(training)
        return panels
