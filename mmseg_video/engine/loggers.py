"""MMEngine's loggers (``vis_backends``), none of which stops a training.

What is not installed, has no key or no network, or raises whatever else, is
said once and left out; the training, its text log and its checkpoints go on.
"""

import functools
import threading
import time

from mmengine import visualization
from mmengine.logging import print_log
from mmseg.registry import VISBACKENDS

LIMIT = 15.0  # seconds that a logger may keep a training waiting
METHODS = (
    *('add_config', 'add_graph', 'add_image', 'add_scalar', 'add_scalars'),
    'close',
)


class Unfailing:
    """What a logger does, as long as it can: a mix-in."""

    _lost = False

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        for name in METHODS:
            if hasattr(cls, name):
                setattr(cls, name, _optional(getattr(cls, name)))

    def _lose(self, why: str) -> None:
        self._lost = True
        print_log(
            f'{type(self).__name__} is left out, the training goes on: {why}',
            'current',
            30,
        )


def _optional(method):
    @functools.wraps(method)
    def wrapped(self, *args, **kwargs):
        if self._lost:
            return
        start = time.monotonic()
        try:
            method(self, *args, **kwargs)
        # Each service has errors of its own; some end the process.
        except (Exception, SystemExit) as error:
            self._lose(f'{type(error).__name__}: {error}')
            return
        seconds = time.monotonic() - start
        if seconds > 2 * LIMIT:
            self._lose(f'{method.__name__} took {seconds:.0f} s')

    return wrapped


class Remote(Unfailing):
    """A logger that talks to a server when it begins."""

    def _init_env(self) -> None:
        failure = []

        def begin():
            try:
                super(Remote, self)._init_env()
            except BaseException as error:
                failure.append(error)

        thread = threading.Thread(target=begin, daemon=True)
        thread.start()
        thread.join(LIMIT)
        if thread.is_alive():
            raise TimeoutError(f'no answer within {LIMIT:.0f} s')
        if failure:
            raise failure[0]


class WandbVisBackend(Unfailing, visualization.WandbVisBackend):
    """wandb, which logs offline where there is no key or no network.

    Args:
        args, kwargs: MMEngine's.
    """

    def _init_env(self) -> None:
        try:
            import wandb
        except ImportError:
            raise ImportError(
                'wandb is not installed: pip install wandb'
            ) from None
        self._init_kwargs = dict(self._init_kwargs or {})
        limits = dict(init_timeout=LIMIT, login_timeout=int(LIMIT))
        self._init_kwargs.setdefault('settings', limits)
        try:
            super()._init_env()
        except wandb.errors.Error as error:
            self._init_kwargs['mode'] = 'offline'
            super()._init_env()
            print_log(
                f'wandb cannot go online ({error}): it logs offline to '
                f"'{self._save_dir}'; 'wandb sync' uploads that later",
                'current',
                30,
            )


VISBACKENDS.register_module(module=WandbVisBackend)
_KINDS = dict.fromkeys(
    ('MLflowVisBackend', 'ClearMLVisBackend', 'NeptuneVisBackend')
    + ('DVCLiveVisBackend', 'AimVisBackend'),
    Remote,
)
for _name, _kind in {**_KINDS, 'TensorboardVisBackend': Unfailing}.items():
    # They take the places of MMEngine's within the scope 'mmseg'.
    _logger = type(_name, (_kind, getattr(visualization, _name)), {})
    VISBACKENDS.register_module(module=_logger)
