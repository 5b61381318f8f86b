"""A web page: a video and the predictions of two models, side by side."""

import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from ..datasets.street_scenes import StreetScene
from ..io.frames import open_frames
from ..io.limits import Limits
from ..io.videos import open_video, video_size
from ..io.writers import open_writer
from ..models.steady_filters import STEADY
from .steady import open_net, steady
from .video_comparison import VideoComparison, compare_video
from .video_seg_inferencer import VideoSegInferencer

Choose = Callable[..., dict[str, VideoSegInferencer]]
COLOURS = {'framewise': '#c2552d', 'recurrent': '#1f6fb2'}

DEFAULT = 'default'  # of the filters: what suits the net

RESULT = 'result_'  # how the names of the folders of results begin


class NetChoice:
    """The nets that a page offers: each alone, and steadied as is chosen.

    Args:
        names (Sequence[str]): See :func:`open_net`.
        device (str | None): Defaults to None, a GPU where there is one.
    """

    def __init__(self, names: Sequence[str], device: str | None = None):
        self.names, self.device = list(names), device
        self._nets = {}

    def __call__(
        self, name: str, filter: str, every: int
    ) -> dict[str, VideoSegInferencer]:
        if name not in self._nets:
            self._nets[name] = open_net(name)
        net = self._nets[name]
        steadied = steady(
            *(net, None, None if filter == DEFAULT else filter),
            every=int(every),
            device=self.device,
        )
        return {
            'net alone': steady(
                net, filter='none', min_contrast=0, device=self.device
            ),
            f'{filter}, every {int(every)}': steadied,
        }


def serve(
    config: str | None = None,
    checkpoint: str | None = None,
    baseline: tuple[str, str | None] | None = None,
    models: Sequence[str] = (),
    samples: Sequence[str] = (),
    size: tuple[int, int] | None = None,
    max_frames: int = 300,
    device: str | None = None,
    host: str = '127.0.0.1',
    port: int = 7860,
    limits: Limits | None = None,
) -> None:
    """Serve the page until it is stopped, by Ctrl-C or SIGTERM.

    Args:
        config (str | None): Path of the model's config. Defaults to None, see
            ``models``.
        checkpoint (str | None): Path of its checkpoint. Defaults to None, the
            one that is published for the config.
        baseline (tuple[str, str | None] | None): Config and checkpoint of a
            second model. Defaults to None, there is none.
        models (Sequence[str]): In place of these, nets to choose from, with
            the filter and on how many frames they run.
        samples (Sequence[str]): Videos to choose from. Defaults to (), a
            street scene that is drawn.
        size (tuple[int, int] | None): Height and width that the models are
            given. Defaults to None, the video's.
        max_frames (int): Of a video. Defaults to 300.
        device (str | None): Defaults to None, a GPU where there is one.
        host (str): Address. Defaults to '127.0.0.1', this machine alone.
        port (int): Defaults to 7860.
        limits (Limits | None): Defaults to None, :class:`Limits`'s.

    Raises:
        OSError: If a sample cannot be opened.
        RuntimeError: If Gradio is not installed.
    """
    for path in samples:
        open_frames(path)
    if models:
        choose = NetChoice(models, device)
    else:
        loaded = dict(
            prediction=VideoSegInferencer(config, checkpoint, device)
        )
        if baseline:
            framewise = VideoSegInferencer(*baseline, device)
            loaded = dict(framewise=framewise, recurrent=loaded['prediction'])

        def choose():
            return loaded

    with tempfile.TemporaryDirectory(prefix='mmseg_video_') as name:
        folder, results = Path(name), Path(name, 'results')
        results.mkdir()
        # Gradio's copies of uploads and results: deleted with the rest.
        os.environ['GRADIO_TEMP_DIR'] = str(folder / 'gradio')
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        samples = [str(Path(path).resolve()) for path in samples]
        if not samples:
            samples = [draw_sample(folder, size or (256, 512))]
        limits = limits or Limits()
        page, options = build_page(
            choose, samples, results, max_frames, size, models, limits
        )
        with swept(results, limits.kept):
            page.launch(server_name=host, server_port=port, **options)


def sweep(folder: Path, kept: float) -> None:
    """Delete the results in a folder that are older than so many seconds."""
    for path in folder.glob(f'{RESULT}*'):
        try:
            old = time.time() - path.stat().st_mtime > kept
        except FileNotFoundError:  # another sweep's
            continue
        if old:
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def swept(folder: Path, kept: float) -> Iterator[None]:
    """Sweep a folder now and then, in a thread."""
    ended = threading.Event()

    def run():
        while not ended.wait(min(60, kept / 10)):
            sweep(folder, kept)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def draw_sample(folder: Path, size: tuple[int, int]) -> str:
    """A street scene of 30 frames as a video."""
    path = folder / 'street_scene.mp4'
    scene = StreetScene(0, 'val', 0, *size)
    with open_writer(path, 17) as writer:
        for t in range(30):
            writer.write(scene.frame(t)[0])
    return str(path)


def segment(
    path: str,
    models: dict[str, VideoSegInferencer],
    folder: Path,
    max_frames: int = 300,
    size: tuple[int, int] | None = None,
    tell: Callable[[tuple[int, int]], None] = lambda progress: None,
    limits: Limits | None = None,
) -> tuple[str, str, Figure]:
    """A video side by side with its predictions, a table and a plot.

    Args:
        path (str): Of the video.
        models (dict): Caption -> model.
        folder (Path): Where the video is written.
        max_frames (int): Of the video. Defaults to 300.
        size (tuple[int, int] | None): Height and width that the models are
            given. Defaults to None, the video's.
        tell (Callable): Called with (frames done, frames in all).
        limits (Limits | None): Defaults to None, :class:`Limits`'s.

    Raises:
        OSError: If it is no video.
        ValueError: If the video has one frame, or is beyond a limit.
    """
    limits = limits or Limits()
    check_video(path, limits)
    # A file that begins with small frames may go on with large ones.
    source = open_video(
        path, 'skip', max_pixels=round(1e6 * limits.megapixels)
    ).reduced(max_frames, size)
    begin = time.monotonic()

    def go_on(done):
        if time.monotonic() - begin > limits.seconds:
            raise ValueError(
                f'given up after {limits.seconds:g} seconds and {done} of '
                f'{source.length} frames: choose a shorter or smaller video'
            )
        tell((done, source.length))

    result = Path(tempfile.mkdtemp(prefix=RESULT, dir=folder))
    out = result / 'side_by_side.mp4'
    try:
        comparison = compare_video(source, models, str(out), tell=go_on)
    except BaseException:
        shutil.rmtree(result, ignore_errors=True)
        raise
    if comparison.num_frames < 2:
        raise ValueError(
            'this video has one frame, and it takes two to flicker: choose a '
            'longer one'
        )
    return str(out), summarise(comparison), plot(comparison)


def check_video(path: str, limits: Limits) -> None:
    """Refuse a video that is too much, before a frame of it is decoded.

    Raises:
        OSError: If it is no video.
        ValueError: With what it has and what it may have.
    """
    megabytes = os.path.getsize(path) / 1e6
    if megabytes > limits.megabytes:
        raise ValueError(
            f'this video has {megabytes:.0f} MB, at most '
            f'{limits.megabytes:g} are taken: cut it'
        )
    height, width = video_size(path)
    if height * width > 1e6 * limits.megapixels:
        raise ValueError(
            f'this video is {width}x{height}, at most {limits.megapixels:g} '
            'million pixels are taken: make it smaller'
        )


def summarise(comparison: VideoComparison) -> str:
    """Flicker of the models as a Markdown table."""
    lines = [
        '| pixels that change their class | from frame to frame, % '
        '| flow-compensated flicker, % |',
        '|---|---|---|',
    ]
    for name, values in comparison.flicker.items():
        along = comparison.flicker_compensated[name]
        lines.append(
            f'| {name} | {np.mean(values):.2f} | {np.mean(along):.2f} |'
        )
    return '\n'.join(lines)


def plot(comparison: VideoComparison) -> Figure:
    """Flicker of the models over the frames."""
    figure = Figure(figsize=(9, 2.6), layout='constrained')
    axes = figure.subplots()
    for name, values in comparison.flicker_compensated.items():
        axes.plot(
            range(2, len(values) + 2),
            values,
            label=name,
            color=COLOURS.get(name),
        )
    axes.set(
        xlabel='frame',
        ylabel='flow-compensated\nflicker, %',
        ylim=(0, None),
    )
    axes.margins(x=0.01)
    axes.grid(alpha=0.3)
    axes.spines[['top', 'right']].set_visible(False)
    axes.legend(frameon=False, ncols=2)
    return figure


def build_page(
    choose: Choose,
    samples: list[str],
    folder: Path,
    max_frames: int = 300,
    size: tuple[int, int] | None = None,
    names: Sequence[str] = (),
    limits: Limits | None = None,
):
    """The page as a Gradio app, and the options to launch it with.

    Args:
        choose (Callable): Gives the models, caption -> model; where there are
            names, of what is chosen: a name, a filter and on every how many
            frames the net runs.
        samples (list[str]): Paths of videos to choose from.
        folder (Path): Where videos are written.
        max_frames (int): Of a video. Defaults to 300.
        size (tuple[int, int] | None): Height and width that the models are
            given. Defaults to None, the video's.
        names (Sequence[str]): Of nets to choose from. Defaults to ().
        limits (Limits | None): Defaults to None, :class:`Limits`'s.

    Raises:
        RuntimeError: If Gradio is not installed.
    """
    limits = limits or Limits()
    try:
        import gradio as gr
    except ImportError:
        raise RuntimeError(
            "the web page needs Gradio: pip install 'mmseg-video[app]'"
        ) from None
    bar = gr.Progress()  # Gradio finds it among the defaults

    def clicked(path, *chosen, progress=bar):
        if not path:
            raise gr.Error('choose a video first')
        try:
            models = choose(*chosen)
            return segment(
                path, models, folder, max_frames, size, progress, limits
            )
        except (OSError, ValueError) as error:  # of the video
            raise gr.Error(str(error)) from error
        except Exception as error:  # of the machine: its log has the trace
            raise gr.Error('this video could not be segmented') from error

    # Only files that are served with the page: it works without a network.
    fonts = ['system-ui', 'sans-serif']
    kept = int(limits.kept)
    with gr.Blocks(
        title='mmseg_video',
        analytics_enabled=False,
        delete_cache=(min(600, kept), kept),
    ) as page:
        gr.Markdown('# mmseg_video\nA video, segmented frame by frame.')
        with gr.Row():
            with gr.Column(scale=1):
                video = gr.Video(label='Video', sources=['upload'])
                gr.Examples([[path] for path in samples], video)
                controls = []
                if names:
                    # gated: the net as it is, which none says too.
                    filters = [name for name in STEADY if name != 'gated']
                    filters = [DEFAULT, *filters]
                    controls = [
                        gr.Dropdown(list(names), names[0], label='Net'),
                        gr.Dropdown(filters, filters[0], label='Filter'),
                        gr.Slider(
                            *(1, 10, 1),
                            step=1,
                            label='The net runs on every k-th frame',
                        ),
                    ]
                button = gr.Button('Segment', variant='primary')
            with gr.Column(scale=3):
                result = gr.Video(
                    label='Side by side',
                    show_label=False,
                    autoplay=True,
                    loop=True,
                    interactive=False,
                )
                table = gr.Markdown()
                flicker = gr.Plot(
                    label='Flicker', show_label=False, format='png'
                )
        # One at a time: the machine is one.
        button.click(
            clicked,
            [video, *controls],
            [result, table, flicker],
            concurrency_limit=1,
        )
    page.queue(max_size=limits.waiting)
    theme = gr.themes.Default(font=fonts, font_mono=['monospace'])
    return page, dict(
        theme=theme,
        allowed_paths=[str(folder), *samples],
        max_file_size=int(1e6 * limits.megabytes),
    )
