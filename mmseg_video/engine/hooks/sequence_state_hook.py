from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmseg.registry import HOOKS


def unwrap(model):
    """The segmentor inside wrappers (DDP, test-time augmentation)."""
    while is_model_wrapper(model) or (
        not hasattr(model, 'backbone') and hasattr(model, 'module')
    ):
        model = model.module
    return model


@HOOKS.register_module()
class SequenceStateHook(Hook):
    """Resets a streaming segmentor's states where its samples do not tell.

    With every validation or test, and with every clip of a dataset in clip
    mode, which is a sequence of its own. Within a test the segmentor sees
    from each sample's ``sequence`` and ``frame_id`` where a sequence begins
    (:class:`Streams`). Segmentors that do not stream, or have no states, are
    left alone.

    Raises:
        ValueError: If streamed samples do not say where they come from, or
            one batch holds more than one.
        RuntimeError: If the frames of a stream are dealt to several
            processes.
    """

    _clips = False

    def before_val_epoch(self, runner: Runner) -> None:
        self._begin(runner, runner.val_dataloader)

    def before_test_epoch(self, runner: Runner) -> None:
        self._begin(runner, runner.test_dataloader)

    def after_val_epoch(self, runner: Runner, metrics=None) -> None:
        self._reset(runner)

    def after_test_epoch(self, runner: Runner, metrics=None) -> None:
        self._reset(runner)

    def before_val_iter(self, runner, batch_idx, data_batch=None) -> None:
        self._follow(runner, data_batch)

    def before_test_iter(self, runner, batch_idx, data_batch=None) -> None:
        self._follow(runner, data_batch)

    def _streaming(self, runner: Runner) -> bool:
        model = unwrap(runner.model)
        test_cfg = getattr(model, 'test_cfg', None) or {}
        return hasattr(model, 'reset_states') and bool(
            test_cfg.get('streaming', False)
        )

    def _reset(self, runner: Runner) -> None:
        model = unwrap(runner.model)
        if hasattr(model, 'reset_states'):
            model.reset_states()

    def _begin(self, runner: Runner, dataloader) -> None:
        self._reset(runner)
        dataset = getattr(dataloader, 'dataset', None)
        self._clips = getattr(dataset, 'mode', 'stream') == 'clip'
        whole = getattr(dataloader.sampler, 'keeps_sequences_whole', False)
        whole = whole or self._clips
        if self._streaming(runner) and runner.world_size > 1 and not whole:
            raise RuntimeError(
                f'a stream cannot be dealt to {runner.world_size} processes '
                f'by {type(dataloader.sampler).__name__}: each would see '
                'every n-th frame. Run this evaluation in one process'
            )

    def _follow(self, runner: Runner, data_batch: dict) -> None:
        if not self._streaming(runner):
            return
        if self._clips:
            unwrap(runner.model).reset_states()
            return
        samples = data_batch['data_samples']
        if len(samples) != 1:
            raise ValueError(
                f'a stream is evaluated frame by frame: set batch_size=1, got '
                f'{len(samples)}'
            )
        meta = getattr(samples[0], 'metainfo', {})
        if 'sequence' not in meta or 'frame_id' not in meta:
            raise ValueError(
                "streaming=True needs samples with 'sequence' and 'frame_id', "
                'to know where a video begins: use a sequence dataset with '
                "mode='stream', and PackClipInputs"
            )
