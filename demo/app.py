"""A web page: a video, framewise and recurrent, side by side.

pip install 'mmseg-video[app]'
python demo/app.py --config CONFIG --checkpoint CHECKPOINT \
    [--baseline CONFIG CHECKPOINT] [--samples VIDEO ...] [--size HEIGHT WIDTH]

Without --samples, a street scene is drawn to choose from.
"""

import argparse
import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure

from mmseg_video.apis import (
    VideoComparison,
    VideoSegInferencer,
    compare_video,
    open_frames,
)
from mmseg_video.datasets.street_scenes import StreetScene
from mmseg_video.engine.arguments import at_least
from mmseg_video.engine.launch import EXPECTED, cli
from mmseg_video.io.writers import open_writer

COLOURS = {'framewise': '#c2552d', 'recurrent': '#1f6fb2'}


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--config', required=True)
    parser.add_argument('--checkpoint', required=True)
    parser.add_argument(
        '--baseline', nargs=2, metavar=('CONFIG', 'CHECKPOINT')
    )
    parser.add_argument(
        '--samples', nargs='+', default=[], help='videos to choose from'
    )
    parser.add_argument(
        '--size',
        type=at_least(32),
        nargs=2,
        metavar=('HEIGHT', 'WIDTH'),
        help='what the models are given; default: the size of the video',
    )
    parser.add_argument(
        '--max-frames',
        type=at_least(2),
        default=300,
        help='of a video, the rest is not looked at (default: 300)',
    )
    parser.add_argument('--device')
    parser.add_argument('--host', default='127.0.0.1')
    parser.add_argument('--port', type=int, default=7860)
    return parser.parse_args()


def draw_sample(folder: Path, size: tuple[int, int]) -> str:
    """A street scene of 30 frames as a video."""
    path = folder / 'street_scene.webm'
    scene = StreetScene(0, 'val', 0, *size)
    with open_writer(path, 17) as writer:
        for t in range(30):
            writer.write(scene.frame(t)[0])
    return str(path)


def segment(
    path: str, models: dict, args, folder: Path, tell: Callable
) -> tuple[str, str, Figure]:
    """A video side by side with its predictions, a table and a plot."""
    source = open_frames(path)
    total = min(source.length or args.max_frames, args.max_frames)
    frames = itertools.islice(source, args.max_frames)
    if args.size is not None:
        frames = (
            cv2.resize(frame, args.size[::-1], interpolation=cv2.INTER_AREA)
            for frame in frames
        )
    out = Path(tempfile.mkdtemp(dir=folder)) / 'side_by_side.webm'
    comparison = compare_video(
        *(frames, models, str(out), source.fps or 10),
        tell=lambda done: tell((done, total)),
    )
    if comparison.num_frames < 2:
        raise ValueError(
            'this video has one frame, and it takes two to flicker: choose a '
            'longer one'
        )
    return str(out), summarise(comparison), plot(comparison)


def summarise(comparison: VideoComparison) -> str:
    """Flicker of the models as a Markdown table."""
    lines = [
        '| pixels that change their class | from frame to frame, % '
        '| along the motion, % |',
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
        ylabel='flicker along\nthe motion, %',
        ylim=(0, None),
    )
    axes.margins(x=0.01)
    axes.grid(alpha=0.3)
    axes.spines[['top', 'right']].set_visible(False)
    axes.legend(frameon=False, ncols=2)
    return figure


def build_page(models: dict, samples: list[str], args, folder: Path):
    """The page as a Gradio app."""
    try:
        import gradio as gr
    except ImportError:
        raise RuntimeError(
            "the web page needs Gradio: pip install 'mmseg-video[app]'"
        ) from None
    bar = gr.Progress()  # Gradio finds it among the defaults

    def clicked(path, progress=bar):
        if not path:
            raise gr.Error('choose a video first')
        try:
            return segment(path, models, args, folder, progress)
        except EXPECTED as error:
            raise gr.Error(str(error)) from error

    # Only files that are served with the page: it works without a network.
    fonts = ['system-ui', 'sans-serif']
    with gr.Blocks(
        title='mmseg_video', analytics_enabled=False, delete_cache=(3600, 3600)
    ) as page:
        gr.Markdown(
            '# mmseg_video\nA video, segmented frame by frame: by the '
            f'{" and the ".join(models)} model.'
        )
        with gr.Row():
            with gr.Column(scale=1):
                video = gr.Video(label='Video', sources=['upload'])
                gr.Examples([[path] for path in samples], video)
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
        button.click(clicked, video, [result, table, flicker])
    theme = gr.themes.Default(font=fonts, font_mono=['monospace'])
    return page, dict(theme=theme, allowed_paths=[str(folder), *samples])


@cli
def main():
    args = parse_args()
    for path in args.samples:
        open_frames(path)
    recurrent = VideoSegInferencer(args.config, args.checkpoint, args.device)
    models = {'prediction': recurrent}
    if args.baseline:
        baseline = VideoSegInferencer(*args.baseline, args.device)
        models = {'framewise': baseline, 'recurrent': recurrent}
    with tempfile.TemporaryDirectory(prefix='mmseg_video_') as name:
        folder = Path(name)
        samples = [str(Path(path).resolve()) for path in args.samples]
        if not samples:
            samples = [draw_sample(folder, args.size or (256, 512))]
        page, options = build_page(models, samples, args, folder)
        page.launch(server_name=args.host, server_port=args.port, **options)


if __name__ == '__main__':
    main()
