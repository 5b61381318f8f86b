from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import BaseLoop, Runner
from mmseg.registry import HOOKS

from .sequence_state_hook import unwrap

# What mmseg calls the last convolution of every head: a row for each class.
CLASSIFIER = ('conv_seg.weight', 'conv_seg.bias')


@HOOKS.register_module()
class SharedClassesHook(Hook):
    """Carries classifier rows over from a net that was trained on other
    classes: those of the classes that both data sets name.

    A checkpoint says its classes (``meta.dataset_meta``), the training data
    theirs. The row of each class that is in both goes to the class's place;
    the others keep their initialisation. What was carried is logged, and
    :class:`CheckpointReportHook` counts the tensors as loaded. A checkpoint
    of the same classes, a resumed training and a test are left alone.

    Args:
        aliases (dict | None): Class of the data -> the checkpoint's name for
            it, where the names differ. Defaults to None.

    Raises:
        ValueError: If an alias is no class of the data or the checkpoint.
    """

    # Before CheckpointReportHook, which reports on what is left.
    priority = 'ABOVE_NORMAL'

    def __init__(self, aliases: dict[str, str] | None = None):
        self.aliases = dict(aliases or {})

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        if not isinstance(runner._train_loop, BaseLoop) or runner._resume:
            return
        classes = runner.train_dataloader.dataset.metainfo['classes']
        meta = checkpoint.get('meta', {}).get('dataset_meta') or {}
        if 'classes' not in meta:
            print_log(
                'SharedClassesHook: the checkpoint does not say its classes '
                '(meta.dataset_meta.classes); no rows are carried over',
                logger='current',
                level=30,
            )
            return
        if tuple(meta['classes']) == tuple(classes):
            return
        rows = self.match(classes, meta['classes'])
        weights = checkpoint.get('state_dict', checkpoint)
        own = unwrap(runner.model).state_dict()
        carried = []
        for key, value in own.items():
            old = weights.get(key)
            if old is None or not key.endswith(CLASSIFIER):
                continue
            if len(value) != len(classes) or len(old) != len(meta['classes']):
                continue
            if value.shape[1:] != old.shape[1:]:
                continue
            new = value.detach().cpu().clone()
            for row, source in rows.items():
                new[row] = old[source]
            weights[key] = new
            carried.append(key)
        text = self._report(rows, classes, meta['classes'], carried)
        print_log(text, logger='current')

    def match(self, classes, others) -> dict[int, int]:
        """Place of a class -> its place among the checkpoint's classes."""
        for name, other in self.aliases.items():
            if name not in classes:
                raise ValueError(
                    f"SharedClassesHook: aliases name '{name}', which is no "
                    f'class of the data: {list(classes)}'
                )
            if other not in others:
                raise ValueError(
                    f"SharedClassesHook: aliases name '{other}', which is no "
                    f'class of the checkpoint: {list(others)}'
                )
        places = {name: i for i, name in enumerate(others)}
        sources = {
            i: places.get(self.aliases.get(name, name))
            for i, name in enumerate(classes)
        }
        return {i: j for i, j in sources.items() if j is not None}

    def _report(self, rows: dict, classes, others, carried: list) -> str:
        if not carried:
            return (
                'SharedClassesHook: no classifier (conv_seg) of model and '
                'checkpoint fits; no rows are carried over'
            )
        named = ', '.join(
            classes[i]
            if classes[i] == others[j]
            else f'{classes[i]} (from {others[j]})'
            for i, j in rows.items()
        )
        anew = ', '.join(c for i, c in enumerate(classes) if i not in rows)
        return (
            f'SharedClassesHook: {len(rows)} of {len(classes)} classes '
            f'keep their rows of {", ".join(carried)}: {named or "none"}; '
            f'new: {anew or "none"}'
        )
