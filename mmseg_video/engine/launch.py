"""What the command line tools share: errors, devices, processes."""

import datetime
import functools
import os
import re
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from subprocess import CalledProcessError

import torch
import torch.distributed as dist
from mmengine import Config
from mmengine.utils import import_modules_from_strings

from ..datasets import sequence_config
from ..io.interrupts import say_interrupt
from ..io.shipped import find_config
from .config_checks import check_bases, check_model, check_names
from .config_merge import merge
from .config_types import check_types
from .processes import set_slurm_port

# What bad input raises, here and in MMEngine, and a tool that calls another.
EXPECTED = (
    OSError,
    ValueError,
    RuntimeError,
    KeyError,
    TypeError,
    SyntaxError,
    CalledProcessError,
)
# Of these, those whose text is a sentence for a user.
_SPOKEN = (
    *(OSError, ValueError, RuntimeError, KeyError, AssertionError),
    CalledProcessError,
)

TIMEOUT = 600  # seconds, of a process that waits for another

# Those that it adds to a runner's default_hooks, unless they are None there.
MMENGINES_HOOKS = (
    *('runtime_info', 'timer', 'sampler_seed', 'logger'),
    *('param_scheduler', 'checkpoint'),
)
# What keeps the promises of a training and a test, whoever's config it is.
GUARDS = (
    *('CheckpointReportHook', 'SequenceStateHook', 'FiniteLossHook'),
    *('FiniteLogitsHook', 'PreemptionHook'),
)

# Warnings of mmseg that tell a user of the tools nothing.
NOISE = (
    'The draw is False',
    'Default ``avg_non_ignore`` is False',
)


def cli(main: Callable) -> Callable:
    """Make a tool's ``main`` end in one sentence on bad input.

    Whatever is raised is printed as ``error: ...``, exit status 1;
    ``MMSEG_VIDEO_DEBUG=1`` prints where it came from.
    """

    @functools.wraps(main)
    def wrapped(*args, **kwargs):
        for message in NOISE:
            warnings.filterwarnings('ignore', message)
        sys.excepthook = say_interrupt
        try:
            result = main(*args, **kwargs)
            leave_processes()
            return result
        except Exception as error:
            if os.environ.get('MMSEG_VIDEO_DEBUG'):
                traceback.print_exc()
            print(f'error: {_sentence(error)}', file=sys.stderr)
            sys.exit(1)

    return wrapped


# What gloo and NCCL say of a process that is gone or stands still.
_WAITED = re.compile(
    'Timed out waiting|timed out|Connection (closed|reset) by peer|'
    'gloo.*(failed|Socket)|NCCL.*(timeout|abort)',
    re.IGNORECASE,
)


# What Python, NumPy, OpenCV and PyTorch say.
_NO_MEMORY = re.compile(
    'Insufficient memory|t allocate memory|Unable to allocate|out of memory',
    re.IGNORECASE,
)


def _sentence(error: Exception) -> str:
    text = str(error)
    if isinstance(error, KeyError) and error.args:
        text = ' '.join(str(error.args[0]).split())
    if isinstance(error, MemoryError) or _NO_MEMORY.search(text):
        why = ' '.join(text.split()) or 'of this machine'
        return (
            f'there is not enough memory ({why}): take smaller frames, '
            'batches or numbers'
        )
    in_the_way = isinstance(error, FileExistsError | NotADirectoryError)
    if in_the_way and error.filename is not None:
        return (
            f"'{error.filename}' is a file, or below one, where a folder is "
            'to be: name another one'
        )
    if text.startswith('Caught ') and 'DataLoader worker' in text:
        # The worker's traceback; its last line is 'Error: sentence'.
        return text.strip().splitlines()[-1].partition(': ')[2]
    if dist.is_initialized() and _WAITED.search(text):
        return (
            'another process of this job does not answer: it ended, or stood '
            'still for longer than env_cfg.dist_cfg.timeout; see its output '
            f'({text.strip().splitlines()[0]})'
        )
    if text.startswith('Expected more than 1 value per channel'):
        # Of a pooled map there is one value in each sample.
        return (
            'a batch norm of this model needs a batch of 2 or more: raise '
            f'train_dataloader.batch_size ({text})'
        )
    if ' ' in text and isinstance(error, _SPOKEN):
        return text
    # A bare key, a wrong argument or nothing: only the trace tells more.
    text = ' '.join(text.split())
    return (
        f'{type(error).__name__}: {text}{_where(error)}; run again with '
        'MMSEG_VIDEO_DEBUG=1 to see more'
    )


def _where(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return ''
    last = frames[-1]
    return f' ({Path(last.filename).name}, line {last.lineno})'


def load_config(config: str, options: dict | None = None) -> Config:
    """A config of a model with ``--cfg-options`` merged in.

    Args:
        config (str): Its path, or its name in the zoo.
        options (dict | None): What replaces settings of it. Defaults to None.

    Raises:
        FileNotFoundError: If there is no such file or name.
        ValueError: If it cannot be read, has no model, or an option does not
            fit.
    """
    cfg = load_part(config, options)
    check_model(cfg)
    return cfg


def load_part(config: str, options: dict | None = None) -> Config:
    """:func:`load_config` of what other configs inherit too: data, or a
    schedule, alone."""
    path = find_config(config)
    if not path.endswith(('.py', '.json', '.yml', '.yaml')):
        raise ValueError(
            f"'{path}' is no config (.py): the config comes first, then the "
            'checkpoint'
        )
    check_bases(path)
    try:
        cfg = Config.fromfile(path)
    except Exception as error:  # a config is Python, and may do anything
        why = ' '.join(f'{type(error).__name__}: {error}'.split())
        if isinstance(error, AttributeError) and not path.endswith('.py'):
            why = 'it holds something else than a dict'
        raise ValueError(f"'{path}' cannot be read: {why}") from error
    check_names(cfg, options)
    try:
        merge(cfg, options or {})
    except ValueError as error:
        raise ValueError(
            f"--cfg-options do not fit '{path}': {error}"
        ) from None
    check_types(cfg)
    if any(key.split('.')[0] == 'custom_imports' for key in options or {}):
        _import(cfg)  # MMEngine has, when it read the file
    leave_out_hooks(cfg)
    _let_workers_end(cfg)
    return cfg


def _import(cfg: Config) -> None:
    try:
        import_modules_from_strings(**cfg.custom_imports or {})
    except (ImportError, TypeError) as error:
        raise ValueError(
            f"'{cfg.filename}': custom_imports is {cfg.custom_imports}: "
            f'{error}'
        ) from error


def leave_out_hooks(cfg: Config) -> None:
    """Take what is None out of ``default_hooks``, in place: MMEngine does so
    with hooks of its own alone."""
    hooks = cfg.get('default_hooks') or {}
    for name in [n for n, hook in hooks.items() if hook is None]:
        if name not in MMENGINES_HOOKS:
            del hooks[name]


def _let_workers_end(cfg: Config) -> None:
    """Where there are none, PyTorch refuses that they persist."""
    for split in ('train', 'val', 'test'):
        loader = cfg.get(f'{split}_dataloader')
        if loader is not None and loader.get('num_workers') == 0:
            loader.persistent_workers = False


def set_data_root(cfg: Config, root: str | None) -> None:
    """Read the data of all splits from ``root``, unless it is None."""
    for split in ('train', 'val', 'test'):
        loader = cfg.get(f'{split}_dataloader')
        if root is not None and loader is not None:
            sequence_config(loader.dataset).data_root = root


def set_work_dir(cfg: Config, work_dir: str | None) -> None:
    """Where logs and checkpoints go: by default what the config says, or
    work_dirs/NAME of its file."""
    name = Path(cfg.filename).stem
    cfg.work_dir = work_dir or cfg.get('work_dir', f'work_dirs/{name}')


def revert_sync_bn(cfg: Config | dict | list | tuple) -> None:
    """Turn every SyncBN of a config into BN, in place.

    SyncBN exists on GPUs only, and is BN where there is one process.
    """
    values = cfg.items() if isinstance(cfg, dict) else enumerate(cfg)
    for _, value in values:
        if isinstance(value, dict) and value.get('type') == 'SyncBN':
            value['type'] = 'BN'
        if isinstance(value, dict | list | tuple):
            revert_sync_bn(value)


def is_first_process(launcher: str) -> bool:
    """Whether this is the job's first process; before there is a group."""
    names = dict(
        pytorch='RANK', slurm='SLURM_PROCID', mpi='OMPI_COMM_WORLD_RANK'
    )
    return int(os.environ.get(names.get(launcher, ''), 0)) == 0


def set_up_processes(cfg: Config, launcher: str) -> None:
    """Fit ``cfg`` to the machine: several processes or one, GPUs or none.

    MMEngine's own start of several processes asks for a GPU each. Without
    one, the group is made here, on gloo, and the wrapper is told of no
    device.
    """
    cfg.launcher = launcher
    cfg.env_cfg = cfg.get('env_cfg') or {}
    cfg.env_cfg.mp_cfg = cfg.env_cfg.get('mp_cfg') or {}
    cfg.env_cfg.dist_cfg = cfg.env_cfg.get('dist_cfg') or dict(backend='nccl')
    cfg.env_cfg.dist_cfg.setdefault('timeout', TIMEOUT)
    if launcher == 'slurm':
        set_slurm_port()
    if launcher == 'pytorch' and 'RANK' not in os.environ:
        raise ValueError(
            '--launcher pytorch, but nothing launched this process: use '
            'tools/dist_train.sh or tools/dist_test.sh, or torchrun'
        )
    gpus = torch.cuda.is_available()
    if launcher == 'none' or not gpus:
        revert_sync_bn(cfg.model)
    if launcher != 'none' and not gpus:
        if launcher != 'pytorch':
            raise ValueError(
                f"launcher '{launcher}' needs GPUs; on a CPU use "
                '--launcher pytorch (tools/dist_train.sh)'
            )
        cfg.env_cfg.dist_cfg.backend = 'gloo'
        cfg.model_wrapper_cfg = dict(
            type='MMDistributedDataParallel',
            device_ids=None,
            broadcast_buffers=False,
        )
        if not dist.is_initialized():
            seconds = cfg.env_cfg.dist_cfg.timeout
            dist.init_process_group(
                'gloo', timeout=datetime.timedelta(seconds=seconds)
            )
    processes = int(os.environ.get('LOCAL_WORLD_SIZE', 1))
    # torchrun sets one thread each where there are several processes.
    if not gpus and (processes > 1 or 'OMP_NUM_THREADS' not in os.environ):
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // processes))


def leave_processes() -> None:
    """End the process group, if there is one, when all have done their part.

    A process that just ends takes its connections away from those that still
    run, and gloo's threads may then abort them.
    """
    if dist.is_available() and dist.is_initialized():
        dist.barrier()
        dist.destroy_process_group()


def add_guards(cfg: Config, allow_partial: bool) -> None:
    """Add the hooks of ``GUARDS`` that a config lacks, in place.

    Its list of ``custom_hooks`` takes the place of the one that it inherits;
    weights that do not fit, numbers that are not finite, signals and states
    of another sequence would then pass in silence, as they do in MMEngine.

    Args:
        cfg (Config): Of anyone.
        allow_partial (bool): Whether a checkpoint may lack anything.
    """
    found = [_kind(hook) for hook in _hooks(cfg)]
    cfg.custom_hooks = [
        *(cfg.get('custom_hooks') or []),
        *(dict(type=kind) for kind in GUARDS if kind not in found),
    ]
    for hook in _hooks(cfg):
        if allow_partial and _kind(hook) == 'CheckpointReportHook':
            hook['allow_partial'] = True


def _hooks(cfg: Config) -> list[dict]:
    """The config's own, default and custom."""
    hooks = [
        *(cfg.get('default_hooks') or {}).values(),
        *(cfg.get('custom_hooks') or []),
    ]
    return [hook for hook in hooks if isinstance(hook, dict)]


def _kind(part: dict) -> str:
    """Of the class, which may be named with its scope, or be there."""
    kind = part.get('type')
    return getattr(kind, '__name__', str(kind)).rpartition('.')[2]


def train_in_mixed_precision(cfg: Config) -> None:
    """float16 with a dynamic loss scale on a GPU, bfloat16 on a CPU."""
    if torch.cuda.is_available():
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.loss_scale = 'dynamic'
    else:
        cfg.optim_wrapper.type = 'Bfloat16OptimWrapper'


def check_unlabelled(cfg: Config) -> None:
    """Refuse unlabelled frames that nobody labels: they would train nothing.

    Raises:
        ValueError: If the config has them without a ``MeanTeacherHook``.
    """
    dataset = (cfg.get('train_dataloader') or {}).get('dataset', {})
    types = [_kind(hook) for hook in _hooks(cfg)]
    unlabelled = dataset.get('type') == 'UnlabelledFrames' and (
        not dataset.get('pseudo_path') or dataset.get('keep_unlabelled')
    )
    if unlabelled and 'MeanTeacherHook' not in types:
        raise ValueError(
            'train_dataloader.dataset, UnlabelledFrames, gives frames without '
            'labels, and no hook labels them: name its pseudo_path, or add '
            "default_hooks.teacher=dict(type='MeanTeacherHook')"
        )


def autocast_test(amp: bool | str, device: torch.device) -> torch.autocast:
    """A context for a test in mixed precision.

    Args:
        amp (bool | str): 'float16' or 'bfloat16'; True is float16 on a GPU
            and bfloat16 on a CPU, False is float32.
        device (torch.device): Where the model is, which need not be the GPU
            that the machine has.
    """
    dtype = getattr(torch, amp) if isinstance(amp, str) else None
    return torch.autocast(device.type, dtype, enabled=bool(amp))
