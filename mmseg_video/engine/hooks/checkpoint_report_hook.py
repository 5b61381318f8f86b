from collections import Counter

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import BaseLoop, Runner
from mmseg.registry import HOOKS
from torch import nn

from .sequence_state_hook import unwrap


def report_checkpoint(
    model: nn.Module, weights: dict, source: str, need_all: bool = False
) -> str:
    """Says, module by module, what of a model a checkpoint covers.

    MMEngine loads what fits and passes over the rest; this tells before.

    Args:
        model (nn.Module): The segmentor.
        weights (dict): The checkpoint's ``state_dict``.
        source (str): Its path, for the message.
        need_all (bool): Whether a tensor that keeps its initialisation is an
            error, unless a test does not need it (the model's
            ``training_only``, beginnings of names). Defaults to False.

    Raises:
        RuntimeError: If nothing matches, or ``need_all`` and not all does.
    """
    own = model.state_dict()
    weights = {key.removeprefix('module.'): w for key, w in weights.items()}
    fits = [
        k for k in own if k in weights and weights[k].shape == own[k].shape
    ]
    differ = [k for k in own if k in weights and k not in set(fits)]
    new = [k for k in own if k not in weights]
    unused = [k for k in weights if k not in own]

    def modules(keys):
        counts = Counter(key.split('.')[0] for key in keys)
        return ', '.join(f'{name} ({n})' for name, n in counts.items())

    parts = [f'{len(fits)} of {len(own)} tensors loaded: {modules(fits)}']
    if new:
        parts.append(f'not in the checkpoint: {modules(new)}')
    if differ:
        first = differ[0]
        parts.append(
            f'of another shape: {modules(differ)}, such as {first} '
            f'{tuple(weights[first].shape)} for {tuple(own[first].shape)}'
        )
    if unused:
        parts.append(f'unused: {modules(unused)}')
    text = f"checkpoint '{source}': " + '; '.join(parts)
    if not fits:
        raise RuntimeError(
            f'{text}. Nothing matches: it belongs to another architecture'
        )
    training_only = tuple(getattr(model, 'training_only', ()))
    needed = [k for k in new + differ if not k.startswith(training_only)]
    if need_all and needed:
        raise RuntimeError(
            f'{text}. What was not loaded would be tested at its random '
            'initialisation: test the checkpoint with the config it was '
            'trained with'
        )
    return text


@HOOKS.register_module()
class CheckpointReportHook(Hook):
    """Logs what came from a checkpoint, and stops where nothing did.

    In a test every tensor must come from it.
    """

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        # A training builds its loop before it loads; a test never does.
        testing = not isinstance(runner._train_loop, BaseLoop)
        model = unwrap(runner.model)
        weights = checkpoint.get('state_dict', checkpoint)
        if hasattr(model, 'rename_framewise') and 'state_dict' in checkpoint:
            weights = model.rename_framewise(weights)
            checkpoint['state_dict'] = weights
        source = str(getattr(runner, '_load_from', None) or 'resumed')
        text = report_checkpoint(model, weights, source, need_all=testing)
        print_log(text, logger='current')
