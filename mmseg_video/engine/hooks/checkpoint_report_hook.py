from collections import Counter
from collections.abc import Sequence

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import BaseLoop, Runner
from mmseg.registry import HOOKS
from torch import nn

from ...models.warm_start import adapt_framewise
from ..partial import accepts_partial
from ..pretrained import fetch
from .finite_loss_hook import not_finite
from .sequence_state_hook import unwrap
from .shared_classes_hook import SharedClassesHook


def report_checkpoint(
    model: nn.Module,
    weights: dict,
    source: str,
    may_lack: Sequence[str] | None = None,
    min_share: float = 0.0,
) -> str:
    """Says, module by module, what of a model a checkpoint covers.

    MMEngine loads what fits and passes over the rest; this tells before.
    Counters of batch norm count for nothing: they are equal in any two nets.

    Args:
        model (nn.Module): The segmentor.
        weights (dict): The checkpoint's ``state_dict``.
        source (str): Its path, for the message.
        may_lack (Sequence[str] | None): Beginnings of names that it need not
            have. Defaults to None, any.
        min_share (float): How much of the model's parameters, counted as
            numbers, it must have at least. Defaults to 0.

    Raises:
        RuntimeError: If no parameter matches, too few do, or one that is
            needed does not.
        ValueError: If a tensor of it holds NaN or infinity.
    """
    if not isinstance(weights, dict):
        raise ValueError(
            f"the state_dict of '{source}' is a {type(weights).__name__}, no "
            'weights by name: it is no checkpoint of a model'
        )
    own = model.state_dict()
    parameters = {name for name, _ in model.named_parameters()} & set(own)
    weights = {key.removeprefix('module.'): w for key, w in weights.items()}
    fits = [
        k for k in own if k in weights and weights[k].shape == own[k].shape
    ]
    differ = [k for k in own if k in weights and k not in set(fits)]
    new = [k for k in own if k not in weights]
    unused = [k for k in weights if k not in own]

    parts = [f'{len(fits)} of {len(own)} tensors loaded: {_modules(fits)}']
    if new:
        parts.append(f'not in the checkpoint: {_modules(new)}')
    if differ:
        first = differ[0]
        parts.append(
            f'of another shape: {_modules(differ)}, such as {first} '
            f'{tuple(weights[first].shape)} for {tuple(own[first].shape)}'
        )
    if unused:
        parts.append(f'unused: {_modules(unused)}')
    text = f"checkpoint '{source}': " + '; '.join(parts)
    if not parameters & set(fits) and (parameters or not fits):
        raise RuntimeError(
            f'{text}. Nothing matches: it belongs to another architecture'
            + _hint(own, weights)
        )
    broken = not_finite({key: weights[key] for key in fits})
    if broken:
        raise ValueError(
            f"checkpoint '{source}': {len(broken)} of its tensors are not "
            f"finite, such as '{broken[0]}': take one from before the "
            'training broke'
        )
    loaded = sum(own[k].numel() for k in parameters & set(fits))
    share = loaded / max(1, sum(own[k].numel() for k in parameters))
    if share < min_share:
        raise RuntimeError(
            f'{text}. That is {share:.0%} of the parameters: too little to '
            f'start from{_hint(own, weights)}'
        )
    lacking = [
        k
        for k in [*new, *differ]
        if may_lack is not None
        and not k.endswith('num_batches_tracked')
        and not k.startswith(tuple(may_lack))
    ]
    if lacking:
        raise RuntimeError(
            f'{text}. What was not loaded would stay at its random '
            f'initialisation ({_modules(lacking)}): take the config it was '
            'trained with; --allow-partial accepts it'
        )
    return text


def _modules(keys: Sequence[str]) -> str:
    counts = Counter(key.split('.')[0] for key in keys)
    return ', '.join(f'{name} ({n})' for name, n in counts.items())


def check_rnns_used(model: nn.Module, weights: dict, source: str) -> None:
    """Refuse a recurrent model's checkpoint for a model without its RNNs.

    Raises:
        RuntimeError: If an RNN of the checkpoint has no place.
    """
    own = model.state_dict()
    unused = [key for key in weights if key not in own and 'rnn' in key]
    if unused:
        raise RuntimeError(
            f"checkpoint '{source}' has RNNs ({_modules(unused)}) and the "
            'model none for them: test the checkpoint with the config it was '
            'trained with'
        )


def check_weights(
    model: nn.Module, weights: dict, source: str, allow_partial: bool = False
) -> str:
    """What of a model that is to predict a checkpoint covers.

    It may lack what only trains (``training_only``), and anything where
    ``allow_partial`` or ``--allow-partial`` says so.

    Raises:
        RuntimeError: If it lacks more, or has RNNs that the model has not.
        ValueError: If a tensor of it holds NaN or infinity.
    """
    if allow_partial or accepts_partial():
        return report_checkpoint(model, weights, source)
    only = getattr(model, 'training_only', ())
    text = report_checkpoint(model, weights, source, only)
    check_rnns_used(model, weights, source)
    return text


def new_modules(model: nn.Module) -> tuple[str, ...]:
    """Beginnings of the names that a framewise baseline's weights lack: those
    of modules that say so (``new_in_training``)."""
    return tuple(
        f'{name}.'
        for name, module in model.named_modules()
        if getattr(module, 'new_in_training', False)
    )


def _hint(own: dict, weights: dict) -> str:
    """The prefix that is missing, where one would make tensors match."""
    for prefix in dict.fromkeys(f'{key.split(".")[0]}.' for key in weights):
        count = sum(prefix + key in weights for key in own)
        if count:
            return f"; with prefix='{prefix}' {count} tensors would match"
    return ''


@HOOKS.register_module()
class CheckpointReportHook(Hook):
    """Logs what came from each checkpoint, and stops where nothing did.

    ``load_from`` and ``resume``, and the weights that modules load while the
    model is initialised (``init_cfg=dict(type='Pretrained', ...)``, mmseg's
    ``pretrained``), which MMEngine loads as far as they fit. These are looked
    at before: a file that is missing or cut short, an address that cannot be
    reached and a prefix that the checkpoint lacks end in a sentence.

    What a checkpoint may lack: in a test, what only trains
    (``training_only``); where a training starts, the modules that a baseline
    has not (``new_in_training``: RNNs, losses with parameters) and those of
    ``new``; where it is resumed, nothing. Half of the parameters of a module
    must come from its ``init_cfg``.

    Args:
        new (Sequence[str]): Beginnings of names that the weights of
            ``load_from`` may lack. Defaults to ().
        allow_partial (bool): Whether anything may be lacking
            (``--allow-partial``). Defaults to False.
    """

    def __init__(self, new: Sequence[str] = (), allow_partial: bool = False):
        self.new, self.allow_partial = tuple(new), allow_partial

    def before_run(self, runner: Runner) -> None:
        # A training builds its loop before it loads; a test never does, and
        # initialises nothing.
        if not isinstance(runner._train_loop, BaseLoop):
            return
        self._awaited = {}
        for name, module in unwrap(runner.model).named_modules():
            name = name or 'the model'
            for cfg in pretrained_cfgs(module):
                fetch(cfg['checkpoint'], cfg.get('prefix'))
                self._awaited[name] = cfg['checkpoint']
                self._watch(name, module, cfg['checkpoint'])
            if _loads_when_built(module):
                count = len(module.state_dict())
                print_log(
                    f'{name}: all {count} tensors loaded by '
                    f'{type(module).__name__} itself when it was built',
                    logger='current',
                )

    def before_train(self, runner: Runner) -> None:
        for name, source in self._awaited.items():
            raise RuntimeError(
                f"{name}: init_cfg names the checkpoint '{source}', but "
                'nothing was loaded: the module initialises itself (a '
                'TIMMBackbone does, unless pretrained=False)'
            )

    def _watch(self, name: str, module: nn.Module, source: str) -> None:
        """Report on the module's next load, whoever does it."""
        awaited = self._awaited
        partial = self.allow_partial or accepts_partial()
        min_share = 0.0 if partial else 0.5

        # A function of its own rather than a method: copies of the model
        # (EMA) carry it, and must not carry the runner.
        def report(weights, prefix, *_):
            # Not the load of a whole that the module is a part of.
            if prefix or awaited.pop(name, None) is None:
                return
            text = report_checkpoint(
                module, weights, source, min_share=min_share
            )
            print_log(f'{name}: {text}', logger='current')

        # Public from torch 2.5 on, with the module as one more argument.
        module._register_load_state_dict_pre_hook(report)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        testing = not isinstance(runner._train_loop, BaseLoop)
        model = unwrap(runner.model)
        source = str(getattr(runner, '_load_from', None) or 'resumed')
        if not isinstance(checkpoint, dict):
            raise RuntimeError(
                f"'{source}' holds a {type(checkpoint).__name__}, no weights "
                'by name (state_dict): it is no checkpoint of a model'
            )
        weights = checkpoint.get('state_dict', checkpoint)
        if 'state_dict' in checkpoint:
            weights = adapt_framewise(model, weights)
            checkpoint['state_dict'] = weights
        if testing:
            text = check_weights(model, weights, source, self.allow_partial)
        else:
            lacks = self._may_lack(runner)
            text = report_checkpoint(model, weights, source, lacks)
        print_log(text, logger='current')
        self._compare_classes(runner, checkpoint, source)

    def _may_lack(self, runner: Runner) -> tuple[str, ...] | None:
        """In a training."""
        if self.allow_partial or accepts_partial():
            return None
        if runner._resume:
            return ()
        return self.new + new_modules(unwrap(runner.model))

    def _compare_classes(
        self, runner: Runner, checkpoint: dict, source: str
    ) -> None:
        """As many classes of other names fit, and mean something else."""
        loops = (runner._train_loop, runner._test_loop, runner._val_loop)
        loop = next((x for x in loops if isinstance(x, BaseLoop)), None)
        hooks = (type(hook) for hook in runner.hooks)
        if loop is None or SharedClassesHook in hooks:
            return
        meta = (checkpoint.get('meta') or {}).get('dataset_meta') or {}
        ours = getattr(loop.dataloader.dataset, 'metainfo', {}).get('classes')
        theirs = meta.get('classes')
        if not ours or not theirs or len(ours) != len(theirs):
            return
        differ = [
            f'{i} is {old} there, {new} here'
            for i, (old, new) in enumerate(zip(theirs, ours, strict=True))
            if old != new
        ]
        if differ:
            print_log(
                f"checkpoint '{source}': {len(differ)} of its {len(ours)} "
                f'classes have other names than the data ({differ[0]}): its '
                "classifier's rows stay where they are; SharedClassesHook "
                'moves those of the same name',
                logger='current',
                level=30,
            )


def pretrained_cfgs(module: nn.Module) -> list[dict]:
    """The module's ``init_cfg`` entries that name a checkpoint."""
    cfgs = getattr(module, 'init_cfg', None) or []
    cfgs = [cfgs] if isinstance(cfgs, dict) else cfgs
    return [cfg for cfg in cfgs if cfg.get('checkpoint')]


def _loads_when_built(module: nn.Module) -> bool:
    # MMEngine's modules are built without weights; a wrapper of another
    # library that has fetched them says that it needs no initialisation.
    return getattr(module, 'is_init', False) and not pretrained_cfgs(module)
