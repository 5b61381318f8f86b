from copy import deepcopy

import torch
import torch.nn.functional as F
from mmengine.hooks import EMAHook
from mmengine.runner import Runner
from mmseg.registry import HOOKS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from ...models.decode_heads import per_class


@HOOKS.register_module()
class MeanTeacherHook(EMAHook):
    """Labels unlabelled clips, while the model trains, by its own running
    average (Tarvainen and Valpola, "Mean teachers", NeurIPS 2017).

    Before each iteration the teacher, in eval mode, reads the clips of the
    batch whose key frame nobody labelled (:class:`UnlabelledFrames` gives
    them), as they leave the pipeline. Its most probable class becomes
    the label, where it is sure enough; the rest stays 255, ignored. The
    student, the model that trains, then reads the same clips as its data
    preprocessor mixes them: with ``ClipClassMix`` that is the training of
    Olsson et al., "ClassMix", WACV 2021. How much of the unlabelled frames
    the teacher is sure of is logged as ``teacher_sure``.

    It is MMEngine's ``EMAHook``: validated and saved is the teacher, and the
    student beside it to resume from. A test knows nothing of it.

    Args:
        threshold (float): Least probability at which a label is used.
            Defaults to 0.9.
        momentum (float): How far the teacher moves to the student at each
            iteration: it is an average over some 1 / momentum of them.
            Defaults to 0.001.

    Raises:
        ValueError: If a number is out of range, or the training data has no
            unlabelled frames.
    """

    def __init__(self, threshold: float = 0.9, momentum: float = 0.001):
        if not 0 <= threshold <= 1:
            raise ValueError(
                f'threshold is a probability in [0, 1], got {threshold}'
            )
        if not 0 < momentum < 1:
            raise ValueError(f'momentum must lie in (0, 1), got {momentum}')
        super().__init__(momentum=momentum, update_buffers=True)
        self.threshold = threshold
        self._trains = False

    def before_train(self, runner: Runner) -> None:
        super().before_train(runner)
        dataset = runner.train_dataloader.dataset
        if not getattr(dataset, 'has_unlabelled', False):
            raise ValueError(
                'MeanTeacherHook: the training data has no unlabelled frames '
                'to label; wrap it: train_dataloader.dataset=dict(type='
                "'UnlabelledFrames', dataset=dict(...))"
            )
        self._trains = True
        teacher = self.ema_model.module
        if runner.iter == 0:
            # The weights that the training starts from, loaded or not.
            teacher.load_state_dict(self.src_model.state_dict())
            # At step 0 MMEngine's average would become the student.
            self.ema_model.steps.fill_(1)
        # The teacher's is a copy, and only the student's batches are mixed.
        teacher.data_preprocessor.clip_augments = nn.ModuleList()

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        if runner._resume:
            super().after_load_checkpoint(runner, checkpoint)

    def _swap_ema_parameters(self) -> None:
        # A checkpoint that a test loads is the teacher already.
        if self._trains:
            super()._swap_ema_parameters()

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch=None
    ) -> None:
        pairs = zip(
            data_batch['inputs'], data_batch['data_samples'], strict=True
        )
        pairs = [p for p in pairs if p[1].get('seg_map_path', '') is None]
        if not pairs:
            return
        clips, samples = map(list, zip(*pairs, strict=True))
        with runner.optim_wrapper.optim_context(runner.model):
            labels = self.label(clips, samples)
        sure = []
        for sample, label in zip(samples, labels, strict=True):
            old = sample.gt_sem_seg.data
            # What the preprocessor padded lies on the right and below.
            label = label[:, : old.shape[1], : old.shape[2]]
            sample.gt_sem_seg.data = label.to(old)
            sure.append((label != 255).float().mean().item())
        runner.message_hub.update_scalar(
            'train/teacher_sure', sum(sure) / len(sure)
        )

    @torch.no_grad()
    def label(
        self, clips: list[Tensor], samples: list[SegDataSample]
    ) -> Tensor:
        """The teacher's labels (N, 1, H, W) of the key frames, 255 where it
        is not sure."""
        teacher = self.ema_model.module.eval()
        # The preprocessor would pad the samples themselves.
        batch = dict(inputs=clips, data_samples=deepcopy(samples))
        batch = teacher.data_preprocessor(batch, training=True)
        logits = teacher(**batch, mode='tensor')
        logits = F.interpolate(
            logits.float(), batch['inputs'].shape[-2:], mode='bilinear'
        )
        probabilities = per_class(teacher, logits).softmax(dim=1)
        confidence, label = probabilities.max(dim=1, keepdim=True)
        return torch.where(confidence >= self.threshold, label, 255)
