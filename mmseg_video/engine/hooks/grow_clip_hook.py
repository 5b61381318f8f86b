import copy
import logging
import os.path as osp
from collections.abc import Iterator

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmseg.registry import DATASETS, HOOKS


@HOOKS.register_module()
class GrowClipHook(Hook):
    """Lengthens the training clips: T = 5, from some iteration on 8, then 12.

    The workers of a loader hold copies of the data set and load ahead, so at
    each milestone a new loader takes the old one's place, put at the very
    sample where that one would have gone on: which samples an iteration sees
    does not depend on the milestones, nor on a resumption. T is logged as
    ``num_frames``.

    Before the training begins, it is checked that the data has clips of the
    longest T, and every frame of them.

    Args:
        milestones (dict[int, int]): Iterations done -> T from there on.
            Before the first one T is the dataset's ``num_frames``.

    Raises:
        ValueError: If a milestone is no number, T does not grow, or no clip
            of the data is that long.
        FileNotFoundError: If a frame of the longest clips is missing, unless
            the dataset has ``missing='repeat'``.
        RuntimeError: If the loop is neither of ours.
    """

    def __init__(self, milestones: dict[int, int]):
        if not milestones:
            raise ValueError(
                'GrowClipHook: milestones are empty: name iterations done '
                '-> T, such as {16000: 8}, or leave the hook out'
            )
        for begin, num_frames in milestones.items():
            # --cfg-options give the iterations as text.
            if not str(begin).isdigit() or not isinstance(num_frames, int):
                raise ValueError(
                    'milestones are iterations done -> T, such as '
                    f'{{16000: 8}}, got {begin!r}: {num_frames!r}'
                )
        self.milestones = {
            int(begin): num_frames
            for begin, num_frames in sorted(
                milestones.items(), key=lambda item: int(item[0])
            )
        }

    def num_frames(self, iteration: int, start: int) -> int:
        """T after so many iterations, of a training that began with
        ``start``."""
        reached = [t for at, t in self.milestones.items() if at <= iteration]
        return reached[-1] if reached else start

    def before_run(self, runner: Runner) -> None:
        if not hasattr(runner.train_loop, 'replace_dataloader'):
            raise RuntimeError(
                'GrowClipHook needs a loop whose batches can be replaced: '
                "train_cfg=dict(type='IterBasedTrainLoop', ...)"
            )
        self._start = self._now = _num_frames(runner.cfg.train_dataloader)
        lengths = [self._start, *self.milestones.values()]
        steps = ' -> '.join(map(str, lengths))
        if sorted(set(lengths)) != lengths:
            raise ValueError(
                f'GrowClipHook: T is to grow, but its lengths are {steps} '
                '(the first is num_frames of the training dataset)'
            )
        last = max(self.milestones, default=0)
        if last >= runner.max_iters:
            print_log(
                f'GrowClipHook: T={lengths[-1]} begins at iteration {last}, '
                f'the training ends at {runner.max_iters}',
                logger='current',
                level=logging.WARNING,
            )
        _check_reach(runner.cfg.train_dataloader, lengths[-1])

    def before_train(self, runner: Runner) -> None:
        self._grow(runner, runner.iter)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch=None
    ) -> None:
        runner.message_hub.update_scalar('train/num_frames', self._now)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch=None, outputs=None
    ) -> None:
        self._grow(runner, runner.iter + 1)

    def _grow(self, runner: Runner, iteration: int) -> None:
        """Put a new loader in the old one's place where T grows."""
        num_frames = self.num_frames(iteration, self._start)
        if num_frames == self._now:
            return
        self._now = num_frames
        runner.train_loop.replace_dataloader(
            _longer(runner.cfg.train_dataloader, num_frames), iteration
        )
        print_log(
            f'iteration {iteration}: clips of T={num_frames} frames',
            logger='current',
        )


def _datasets(cfg) -> Iterator[dict]:
    """The configs of sequence datasets, inside wrappers too."""
    values = cfg.values() if isinstance(cfg, dict) else cfg
    if isinstance(cfg, dict) and 'num_frames' in cfg:
        yield cfg
        return
    for value in values:
        if isinstance(value, dict | list | tuple):
            yield from _datasets(value)


def _num_frames(loader: dict) -> int:
    lengths = {dataset['num_frames'] for dataset in _datasets(loader)}
    if len(lengths) != 1:
        raise ValueError(
            'GrowClipHook needs num_frames in the config of the training '
            f'dataset, the same one in all of them: there is {lengths or None}'
        )
    return lengths.pop()


def _longer(loader: dict, num_frames: int) -> dict:
    loader = copy.deepcopy(loader)
    for dataset in _datasets(loader):
        dataset['num_frames'] = num_frames
    return loader


def _check_reach(loader: dict, num_frames: int) -> None:
    """Refuse a T that no clip of the data has, and missing frames."""
    for cfg in _datasets(_longer(loader, num_frames)):
        dataset = DATASETS.build(cfg)
        infos = [dataset.get_data_info(i) for i in range(len(dataset))]
        if all(info['num_padded'] for info in infos):
            past = max(len(info['past_img_paths']) for info in infos)
            interval = dataset.frame_interval
            folder = dataset.data_prefix['img_path']
            raise ValueError(
                f'GrowClipHook: T={num_frames} with frame_interval={interval} '
                f'needs {(num_frames - 1) * interval} frames before the key '
                f"frame, the longest past in '{folder}' "
                f'has {past}: let T grow to {past // interval + 1} at most'
            )
        if dataset.missing == 'repeat' or dataset.backend_args is not None:
            continue
        missing = {
            path
            for info in infos
            for path in info['ref_img_paths']
            if not osp.exists(path)
        }
        if missing:
            raise FileNotFoundError(
                f'GrowClipHook: T={num_frames} needs {len(missing)} frames '
                f"that are not there, such as '{min(missing)}': copy them, "
                "let T grow less, or set missing='repeat' for the dataset"
            )
