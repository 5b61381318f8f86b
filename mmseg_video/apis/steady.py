"""Any segmentation net, steady on video."""

import functools
import logging
import os
from collections.abc import Callable, Sequence

import numpy as np
from mmengine import Config
from mmengine.logging import print_log
from mmengine.registry import init_default_scope
from mmseg.models import BaseSegmentor
from mmseg.utils import dataset_aliases, get_classes, get_palette
from torch import nn

from ..datasets.palette import bit_colours
from ..flow.estimators import build_flow
from ..flow.full_frames import FullFrames
from ..flow.previous import FrameFlow
from ..flow.stacked import StackedFlow
from ..flow.usable_frames import UsableFrames
from ..io.nearest import close_to
from ..io.shipped import config_paths
from ..models import (
    CallableNet,
    Framewise,
    MMSegNet,
    RecurrentNet,
    SteadySegmentor,
)
from ..models.framewise import open_onnx, open_torchvision, open_transformers
from ..models.steady_filters import (
    SteadyFilter,
    default_filter,
    steady_filter,
)
from .segmentors import LoadedSegmentor, find_in_zoo, load_segmentor
from .video_seg_inferencer import VideoSegInferencer, flow_of

Model = str | os.PathLike | Sequence | LoadedSegmentor | Framewise | Callable
# Of a net's maker, beside the classes.
OPTIONS = ('mean', 'std', 'bgr', 'stride', 'smallest', 'providers', 'palette')
SCHEMES = {'hf://': open_transformers, 'torchvision://': open_torchvision}


def steady(
    model: Model,
    classes: Sequence[str] | None = None,
    filter: str | None = None,
    palette: Sequence | None = None,
    device: str | None = None,
    amp: bool = False,
    probabilities: bool = False,
    max_streams: int = 256,
    every: int | str = 1,
    max_every: int = FullFrames.max_every,
    tolerance: float = FullFrames.tolerance,
    min_contrast: float = UsableFrames.min_contrast,
    max_held: int = UsableFrames.max_held,
    flow: str = 'dis',
    **options,
) -> VideoSegInferencer:
    """A net of anyone's as a function of video, steadied.

    ::

        video = steady('pidnet-s_2xb6-120k_1024x1024-cityscapes')
        for p in video.predict('clip.mp4'):
            p.label, p.overlay()

    Args:
        model: See :func:`open_net`.
        classes (Sequence[str] | None): Names of the classes, where the net
            does not know them. Defaults to None, the net's.
        filter (str | None): What steadies the scores, see
            :func:`steady_filter`: 'flow', 'place', 'none' or 'gated'.
            Defaults to None, 'flow', and 'none' for a net that averages its
            scores over time itself.
        palette (Sequence | None): RGB colours of the classes. Defaults to
            None, the net's, or those of the data set with the same classes.
        device (str | None): Defaults to None, a GPU where there is one.
        amp, probabilities, max_streams: :class:`VideoSegInferencer`'s.
        every, max_every, tolerance: On which frames the net runs, see
            :class:`FullFrames`. Defaults to all.
        min_contrast, max_held: On flat and dark frames it does not run, and
            the last answer is held, see :class:`UsableFrames`;
            ``min_contrast=0`` makes it run on them too. Defaults to 10, and
            at most 30 frames in a row.
        flow (str): What the filter's flow is estimated by: 'dis', or 'codec',
            the motion vectors of a video file. Defaults to 'dis'.
        options: :class:`CallableNet`'s, for a function or module.

    Raises:
        FileNotFoundError: If a file is missing.
        OSError: If weights cannot be fetched.
        ValueError: If there is no such model or filter, or the classes are
            not known.
        RuntimeError: If a library that the net needs is not installed.
    """
    # Before the net is fetched: what is wrong is told at once.
    steady_filter('flow' if filter is None else filter, flow)
    net = open_net(model, classes, **options)
    if filter is None:
        filter = default_filter(net.own_filter, flow)
    steadied = steady_filter(filter, flow)
    if filter == 'gated' and not net.state_maps:
        raise ValueError(
            "filter='gated' is the gated EMA of a model that was trained with "
            "one; this net has no states: take 'flow'"
        )
    if net.own_filter and steadied.filter is not None:
        print_log(
            f'the net has {own_filter_in_words(net.own_filter)}, and '
            f"filter='{filter}' is put behind it: filter='none' (--steady "
            'none) runs it as it is',
            logger='current',
            level=logging.WARNING,
        )
    if palette is None:
        palette = net.palette or colours_of(net.classes)
    _check_palette(palette, net.classes)
    segmentor = SteadySegmentor(
        net,
        steadied.filter,
        flow_compensated=steadied.flow is not None,
    )
    return VideoSegInferencer.from_model(
        segmentor,
        net.classes,
        palette,
        _flow(segmentor, steadied),
        device=device,
        amp=amp,
        probabilities=probabilities,
        max_streams=max_streams,
        every=every,
        max_every=max_every,
        tolerance=tolerance,
        min_contrast=min_contrast,
        max_held=max_held,
    )


def filter_in_words(model: nn.Module) -> str:
    """Which filter :func:`steady` has put behind a net: 'flow-compensated
    EMA', 'EMA in place' or 'none', and then what the net has itself."""
    own = getattr(model, 'own_filter', None)
    if isinstance(model, SteadySegmentor) and model.filter is not None:
        return own
    return f'none (the net has {own_filter_in_words(own)})' if own else 'none'


def own_filter_in_words(own: str) -> str:
    """As in 'a gated EMA of its own'."""
    return f'{"an" if own.startswith("E") else "a"} {own} of its own'


def _flow(
    segmentor: SteadySegmentor, steadied: SteadyFilter
) -> FrameFlow | None:
    """What makes the flow of the filter, and of the net itself, as its
    config has it."""
    makers = []
    if steadied.flow is not None:
        makers.append(build_flow(**steadied.flow))
    net = segmentor.framewise
    if net.flow_compensated:
        own = getattr(net, 'make_flow', build_flow)()
        if own.settings not in [make.settings for make in makers]:
            makers.append(own)
    if len(makers) > 1:
        return StackedFlow(makers)
    return makers[0] if makers else None


def open_net(
    model: Model, classes: Sequence[str] | None = None, **options
) -> Framewise:
    """The net behind a name, files or a function.

    ================================  ======================================
    ``model``                         what
    ================================  ======================================
    ``'pidnet-s_2xb6-120k_...'``      a name of mmseg's zoo; its weights are
                                      fetched once
    ``'unet_imagenet_camvid'``        a name of our zoo whose weights are
                                      published
    ``'hf://ID'``                     a model of transformers, from its hub or
                                      (``hf://PATH``) a folder
    ``'torchvision://NAME'``          a model of torchvision
    ``'model.onnx'``                  an exported net of anyone's, or what
                                      ``tools/export_onnx.py`` wrote
    ``('config.py', 'model.pth')``    mmseg's or ours, recurrent ones too;
                                      None for the checkpoint: the published
    ``load_segmentor(...)``           what it gives
    ``my_net``                        a function or module, with ``classes``,
                                      see :class:`CallableNet`
    ``Framewise``                     itself
    ================================  ======================================

    Args:
        model: See above.
        classes (Sequence[str] | None): In place of the net's own names.
            Defaults to None.
        options: Of the net's maker.

    Raises:
        ValueError: If there is no such model, or its classes are not known.
    """
    for name in options:
        if name not in OPTIONS:
            raise ValueError(
                f"there is no argument '{name}'{close_to(name, OPTIONS)}: "
                f'of a net there are {", ".join(OPTIONS)}'
            )
    init_default_scope('mmseg')
    net = _open(model, classes, options)
    if classes is not None:
        _check_number(classes, net.classes)
        net.classes = tuple(classes)
    return net.eval()


def _check_palette(palette: Sequence, classes: Sequence[str]) -> None:
    try:
        colours = np.asarray(palette, float)
    except (TypeError, ValueError):
        colours = np.empty(0)
    if (
        colours.shape != (len(classes), 3)
        or not ((colours >= 0) & (colours <= 255)).all()
    ):
        raise ValueError(
            f'palette must be {len(classes)} colours [R, G, B] of 0 to 255, '
            f'one for each class, got {palette!r:.200}'
        )


def _check_number(classes: Sequence[str], own: Sequence[str]) -> None:
    """Refuse names of more or fewer classes than the net has."""
    if len(classes) != len(own):
        more = ', ...' if len(own) > 5 else ''
        raise ValueError(
            f'{len(classes)} classes are named, the net has {len(own)}: '
            f'{", ".join(own[:5])}{more}'
        )


def _open(model: Model, classes, options: dict) -> Framewise:
    if isinstance(model, Framewise):
        if options:
            raise ValueError(
                f'{", ".join(options)}: a {type(model).__name__} is built '
                'already, give this to its maker'
            )
        return model
    if isinstance(model, str | os.PathLike):
        for begin, maker in SCHEMES.items():
            if str(model).startswith(begin):
                return maker(str(model), classes, **options)
        if str(model).endswith('.onnx'):
            return open_onnx(model, classes, **options)
        if str(model).endswith(('.py', '.pth')):
            raise ValueError(
                f"model='{model}': give both files, (config, checkpoint)"
            )
        loaded = load_segmentor(*_by_name(str(model)))
        return _from_loaded(loaded, classes, options)
    if isinstance(model, Sequence) and len(model) == 2:
        config, checkpoint = model
        loaded = load_segmentor(str(config), checkpoint and str(checkpoint))
        return _from_loaded(loaded, classes, options)
    if isinstance(model, LoadedSegmentor):
        return _from_loaded(model, classes, options)
    if isinstance(model, BaseSegmentor):
        named = getattr(model, 'dataset_meta', None) or {}
        names = classes or named.get('classes')
        return as_net(
            model, names, **{'palette': named.get('palette'), **options}
        )
    if callable(model):
        return CallableNet(model, classes, **options)
    raise ValueError(
        f'model={model!r} is no net: give a name, (config, checkpoint) or a '
        'function of frames'
    )


def _by_name(name: str) -> tuple[str | Config, str | None]:
    """Config and weights of a name of our zoo or of mmseg's."""
    return (name, None) if name in config_paths() else find_in_zoo(name)


def _from_loaded(loaded: LoadedSegmentor, classes, options: dict) -> Framewise:
    if classes and loaded.classes:
        _check_number(classes, loaded.classes)
    names = classes or loaded.classes
    net = as_net(loaded.model, names, **{'palette': loaded.palette, **options})
    net.make_flow = functools.partial(flow_of, loaded.cfg, loaded.model)
    return net


def as_net(
    model: BaseSegmentor,
    classes: Sequence[str] | None,
    palette: Sequence | None = None,
    **options,
) -> MMSegNet:
    """A segmentor that is built already.

    Args:
        model (BaseSegmentor): mmseg's or ours.
        classes (Sequence[str] | None): Their names.
        palette (Sequence | None): Defaults to None.
        options: :class:`Framewise`'s.

    Raises:
        ValueError: If another option is given.
    """
    for name in options:
        if name not in ('stride', 'smallest'):
            raise ValueError(
                f"{name}: a segmentor of mmseg's has its own: leave it out"
            )
    maker = RecurrentNet if hasattr(model, 'step') else MMSegNet
    return maker(model, classes, palette=palette, **options)


def colours_of(classes: Sequence[str]) -> list:
    """RGB colours of classes: those of the data set that has the same."""
    wanted = [name.lower() for name in classes]
    for name in dataset_aliases:
        if [c.lower() for c in get_classes(name)] == wanted:
            return get_palette(name)
    return bit_colours(len(classes))
