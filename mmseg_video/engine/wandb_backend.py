import logging

from mmengine.logging import print_log
from mmengine.visualization import WandbVisBackend
from mmseg.registry import VISBACKENDS


@VISBACKENDS.register_module(name='WandbVisBackend')
class OfflineWandbVisBackend(WandbVisBackend):
    """MMEngine's wandb backend, but a missing key or network does not keep a
    training from starting: it logs offline then, and says so.

    It takes the place of ``WandbVisBackend`` within the scope ``mmseg``, so
    that configs name the backend as they always do.

    Args:
        args, kwargs: :class:`WandbVisBackend`'s.

    Raises:
        RuntimeError: If wandb is not installed.
    """

    def _init_env(self) -> None:
        try:
            import wandb
        except ImportError:
            raise RuntimeError(
                'the config logs to wandb, which is not installed: pip '
                'install wandb, or take WandbVisBackend out of vis_backends'
            ) from None
        try:
            super()._init_env()
        except wandb.errors.Error as error:
            self._init_kwargs['mode'] = 'offline'
            super()._init_env()
            print_log(
                f'wandb cannot go online ({error}): it logs offline to '
                f"'{self._save_dir}'; 'wandb sync' uploads that later",
                logger='current',
                level=logging.WARNING,
            )
