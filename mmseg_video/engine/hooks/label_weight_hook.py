from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from ...models import SampleWeightedLoss
from .sequence_state_hook import unwrap


@HOOKS.register_module()
class LabelWeightHook(Hook):
    """Tells the losses how much each sample of the next batch counts.

    That is the sample's ``label_weight``, 1 where it has none; only
    :class:`SampleWeightedLoss` listens.

    Raises:
        ValueError: If the model has no such loss, or mixes samples.
    """

    def before_train(self, runner: Runner) -> None:
        if not self._losses(runner):
            raise ValueError(
                'LabelWeightHook: no loss of the model weighs samples; set '
                "decode_head.loss_decode=dict(type='SampleWeightedLoss', "
                'loss=dict(...))'
            )
        preprocessor = unwrap(runner.model).data_preprocessor
        if getattr(preprocessor, 'clip_augments', None):
            raise ValueError(
                'LabelWeightHook: data_preprocessor.batch_augments mixes '
                'samples, whose weights would no longer be those of their '
                'labels: take one or the other'
            )

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch=None
    ) -> None:
        weights = [
            float(sample.metainfo.get('label_weight', 1.0))
            for sample in data_batch['data_samples']
        ]
        for loss in self._losses(runner):
            loss.weights = weights

    @staticmethod
    def _losses(runner: Runner) -> list[SampleWeightedLoss]:
        modules = runner.model.modules()
        return [m for m in modules if isinstance(m, SampleWeightedLoss)]
