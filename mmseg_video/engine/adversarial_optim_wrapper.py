from contextlib import contextmanager

from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmseg.registry import OPTIM_WRAPPER_CONSTRUCTORS
from torch import Tensor, nn

from .hooks.sequence_state_hook import unwrap

DEFAULT = 'DefaultOptimWrapperConstructor'


class JointOptimWrapperDict(OptimWrapperDict):
    """Optimisers of disjoint parameters that share one backward pass.

    For losses whose gradients do not reach each other's parameters, as
    :class:`AdversarialLoss`'s: the sum is back-propagated once, then each
    optimiser steps. So a segmentor's ``train_step``, and DDP's, stay as they
    are. Mixed precision and gradient accumulation are the first entry's.

    Raises:
        ValueError: If an entry scales its loss, as float16 needs.
    """

    def __init__(self, **wrappers: OptimWrapper):
        super().__init__(**wrappers)
        scaled = [k for k, w in wrappers.items() if hasattr(w, 'loss_scaler')]
        if scaled:
            raise ValueError(
                f'optim_wrapper: {scaled} scales the loss, which one backward '
                'pass for several optimisers does not allow: take '
                "type='Bfloat16OptimWrapper', or no mixed precision"
            )
        self._first = next(iter(wrappers.values()))

    def update_params(
        self,
        loss: Tensor,
        step_kwargs: dict | None = None,
        zero_kwargs: dict | None = None,
    ) -> None:
        self._first.backward(self._first.scale_loss(loss))
        if self._first.should_update():
            for wrapper in self.values():
                wrapper.step(**(step_kwargs or {}))
                wrapper.zero_grad(**(zero_kwargs or {}))

    @contextmanager
    def optim_context(self, model: nn.Module):
        with self._first.optim_context(model):
            yield

    def initialize_count_status(
        self, model: nn.Module, init_counts: int, max_counts: int
    ) -> None:
        self._first.initialize_count_status(model, init_counts, max_counts)


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class AdversarialOptimWrapperConstructor:
    """Builds an optimiser for the segmentor and one for its discriminators.

    The config is the segmentor's as ever, with one more entry::

        optim_wrapper = dict(
            constructor='AdversarialOptimWrapperConstructor',
            discriminator=dict(optimizer=dict(type='Adam', lr=1e-4)))

    The discriminators' parameters are those of ``clip_losses``. The learning
    rate schedule holds for both, and so does its floor (``eta_min``): a rate
    that begins there stays.

    Args:
        optim_wrapper_cfg (dict): The segmentor's, and ``discriminator``.
        paramwise_cfg (dict | None): The segmentor's. Defaults to None.

    Raises:
        ValueError: If there is no ``discriminator`` entry, or the model has
            no discriminator.
    """

    def __init__(
        self, optim_wrapper_cfg: dict, paramwise_cfg: dict | None = None
    ):
        self.segmentor_cfg = dict(optim_wrapper_cfg)
        self.discriminator_cfg = self.segmentor_cfg.pop('discriminator', None)
        self.paramwise_cfg = paramwise_cfg
        if self.discriminator_cfg is None:
            raise ValueError(
                'optim_wrapper: AdversarialOptimWrapperConstructor needs '
                'discriminator=dict(optimizer=dict(...))'
            )

    def __call__(self, model: nn.Module) -> JointOptimWrapperDict:
        model = unwrap(model)
        discriminators = getattr(model, 'clip_losses', nn.Module())
        if not any(True for _ in discriminators.parameters()):
            raise ValueError(
                'optim_wrapper: the model has no discriminator: add '
                "clip_losses=dict(adversarial=dict(type='AdversarialLoss'))"
            )
        # The same names as in the model: paramwise_cfg refers to them.
        segmentor = nn.Module()
        for name, child in model.named_children():
            if child is not discriminators:
                segmentor.add_module(name, child)
        return JointOptimWrapperDict(
            segmentor=_build(
                segmentor, self.segmentor_cfg, self.paramwise_cfg
            ),
            discriminator=_build(discriminators, self.discriminator_cfg),
        )


def _build(
    module: nn.Module, cfg: dict, paramwise_cfg: dict | None = None
) -> OptimWrapper:
    constructor = OPTIM_WRAPPER_CONSTRUCTORS.build(
        dict(
            type=DEFAULT,
            optim_wrapper_cfg=cfg,
            paramwise_cfg=paramwise_cfg,
        )
    )
    return constructor(module)
