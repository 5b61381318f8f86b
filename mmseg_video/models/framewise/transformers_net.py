"""Nets of the transformers library."""

import difflib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from mmengine.logging import print_log
from torch import Tensor, nn

from .callable_net import CallableNet
from .framewise import Framewise
from .queries import log_scores, sum_of_queries
from .videomt_net import VideomtNet
from .windows import in_windows

SCHEME = 'hf://'
# Kinds of models that read squares of one size.
SQUARES = ('beit', 'data2vec-vision', 'dpt', 'eomt', 'eomt_dinov3')
# Else the library asks at a terminal whether to run what the author wrote.
NO_CODE = dict(trust_remote_code=False)
IMAGENET = dict(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])


class TransformersNet(CallableNet):
    """A segmentation model of transformers as a net to steady.

    Its ``logits`` where it has any; else what its queries say together, the
    logarithm of sum over q of p(class | q) p(pixel in mask q), as the
    library's own post-processing adds them up.

    Args:
        net (nn.Module): The model.
        classes (Sequence[str]): See :class:`Framewise`.
        of_queries (bool): Whether the model answers in queries. Defaults to
            False, in logits.
        window (int | None): The side of the one square that the model reads,
            see :func:`in_windows`. Defaults to None, it reads any size.
        inputs (dict[str, Tensor] | None): What the model reads beside the
            frames, (1, ...). Defaults to None.
        kwargs: :class:`CallableNet`'s.
    """

    def __init__(
        self,
        net: nn.Module,
        classes: Sequence[str],
        of_queries: bool = False,
        window: int | None = None,
        inputs: dict[str, Tensor] | None = None,
        **kwargs,
    ):
        if window is not None:
            kwargs['stride'] = 1
        super().__init__(net, classes, **kwargs)
        self.of_queries, self.window = of_queries, window
        self.inputs = inputs or {}

    def scores(self, frames: Tensor) -> Tensor:
        frames = self.normalised(frames)
        if self.window is None:
            scores = self._run(frames)
        else:
            scores = in_windows(self._run, frames, (self.window,) * 2)
        return log_scores(scores) if self.of_queries else scores

    def _run(self, frames: Tensor) -> Tensor:
        """Logits, or the sum over queries."""
        inputs = {
            name: value.to(frames.device).expand(frames.shape[0], -1)
            for name, value in self.inputs.items()
        }
        output = self.net(frames, **inputs)
        if not self.of_queries:
            return output.logits
        return sum_of_queries(
            output.class_queries_logits, output.masks_queries_logits
        )


def open_transformers(
    name: str, classes: Sequence[str] | None = None, **options
) -> Framewise:
    """A model of the Hugging Face hub, or of a folder that
    ``save_pretrained`` wrote.

    Args:
        name (str): ``hf://ID``, or ``hf://`` and the path of a folder.
        classes (Sequence[str] | None): In place of the model's own names.
            Defaults to None.
        options: :class:`Framewise`'s.

    Raises:
        OSError: If it can be neither found nor fetched.
        RuntimeError: If transformers is not installed.
        ValueError: If it segments nothing.
    """
    try:
        import transformers
    except ImportError as error:
        raise RuntimeError(
            f"{name} needs {error.name}: pip install 'mmseg-video[hf]'"
        ) from None
    # Its progress is told by whoever runs a video.
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    where = name.removeprefix(SCHEME)
    with _fetched(name, where):
        config = transformers.AutoConfig.from_pretrained(where, **NO_CODE)
    maker = _maker(transformers, config, name)
    with _fetched(name, where):
        net = maker.from_pretrained(where, weights_only=True)
    names = [config.id2label[i] for i in range(config.num_labels)]
    colours = _colours(transformers, where, name)
    net, classes = net.eval(), classes or names
    if config.model_type == 'videomt':
        return VideomtNet(net, classes, **colours, **options)
    options['of_queries'] = 'ForSemantic' not in maker.__name__
    if config.model_type in SQUARES:
        options['window'] = config.image_size
    if config.model_type == 'oneformer':
        with _fetched(name, where):
            options['inputs'] = _task(transformers, where, config)
    return TransformersNet(net, classes, **colours, **options)


@contextmanager
def _fetched(name: str, where: str) -> Iterator[None]:
    """What fails within, on the way to a model, ends in one sentence."""
    try:
        yield
    except (*_of_the_network(), OSError, ValueError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        if os.path.isdir(where):
            raise OSError(
                f"'{where}' is no folder of transformers': {lines[0]}"
            ) from None
        raise OSError(
            f'{name} can be neither found nor fetched: '
            f'{lines[0].removesuffix(".")}. Download it on a machine with a '
            'network, and name the folder by hf://PATH'
        ) from None


def _of_the_network() -> tuple[type[Exception], ...]:
    """A download that breaks off, in the hub's library of today: httpx's
    errors are none of the system's."""
    try:
        import httpx
    except ImportError:
        return ()
    return (httpx.HTTPError,)


def _maker(transformers, config, name: str) -> type:
    """The class that the model is built by."""
    from transformers.models.auto import modeling_auto

    known = {
        **modeling_auto.MODEL_FOR_SEMANTIC_SEGMENTATION_MAPPING_NAMES,
        **modeling_auto.MODEL_FOR_UNIVERSAL_SEGMENTATION_MAPPING_NAMES,
    }
    known.pop('detr', None)  # boxes first; its masks cover things alone
    found = known.get(config.model_type)
    architectures = config.architectures or [found]
    if found is None or found not in architectures:
        close = difflib.get_close_matches(config.model_type, known, 3, 0.5)
        raise ValueError(
            f'{name} is {architectures[0] or config.model_type}, which '
            f'segments nothing: {", ".join(close or known)} do'
        )
    return getattr(transformers, found)


def _colours(transformers, where: str, name: str) -> dict:
    """Mean, standard deviation and order of the colours that it reads."""
    kinds = (transformers.AutoImageProcessor, transformers.AutoVideoProcessor)
    processor = None
    for kind in kinds:
        try:
            processor = kind.from_pretrained(where, **NO_CODE)
            break
        except (OSError, ValueError, ImportError):
            continue
    if processor is None:
        print_log(
            f'{name} does not say how frames are normalised: taken as those '
            'of ImageNet',
            logger='current',
            level=30,
        )
        means, stds, bgr, factor = *IMAGENET.values(), False, 1 / 255
    else:
        factor = getattr(processor, 'rescale_factor', None) or 1 / 255
        bgr = bool(getattr(processor, 'do_flip_channel_order', False))
        means, stds = [0.0] * 3, [1.0] * 3
        if getattr(processor, 'do_normalize', False):
            means, stds = processor.image_mean, processor.image_std
        if not getattr(processor, 'do_rescale', True):
            factor = 1.0
    return dict(
        mean=[value / factor for value in means],
        std=[value / factor for value in stds],
        bgr=bgr,
    )


def _task(transformers, where: str, config) -> dict[str, Tensor]:
    """OneFormer asks what it is to do."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(where, **NO_CODE)
    tokens = tokenizer(
        'the task is semantic',
        padding='max_length',
        max_length=config.task_seq_len,
        truncation=True,
        return_tensors='pt',
    )
    return dict(task_inputs=tokens.input_ids)
