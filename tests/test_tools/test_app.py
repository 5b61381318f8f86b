"""The web page is built, and its button segments a video; demo/app.py."""

import os
import sys
import time

import cv2
import pytest

from mmseg_video.apis import VideoSegInferencer
from mmseg_video.apis.steady import filter_in_words
from mmseg_video.apis.web_page import (
    Limits,
    NetChoice,
    build_page,
    check_video,
    draw_sample,
    segment,
    sweep,
    swept,
)
from mmseg_video.cli.app import parse_args
from mmseg_video.models import CallableNet
from tests.bright import CLASSES, brightness
from tests.commands import ROOT


def test_the_button_segments_a_sample(recurrent, framewise, tmp_path):
    models = dict(
        framewise=VideoSegInferencer(
            str(framewise / 'unet_street.py'), str(framewise / 'iter_2.pth')
        ),
        recurrent=VideoSegInferencer(
            str(recurrent / 'rnn_unet_street.py'),
            str(recurrent / 'iter_2.pth'),
        ),
    )
    sample = draw_sample(tmp_path, (64, 128))
    page, _ = build_page(lambda: models, [sample], tmp_path, 5, (64, 128))
    (click,) = (f for f in page.fns.values() if f.name == 'clicked')
    video, table, figure = click.fn(sample)
    assert cv2.VideoCapture(video).get(cv2.CAP_PROP_FRAME_COUNT) == 5
    assert [line.split(' ')[1] for line in table.splitlines()[2:]] == [
        'framewise',
        'recurrent',
    ]
    assert [len(line.get_xdata()) for line in figure.axes[0].lines] == [4, 4]
    with pytest.raises(Exception, match='choose a video first'):
        click.fn(None)
    broken = tmp_path / 'broken.mp4'
    broken.write_bytes(b'no video')
    with pytest.raises(Exception, match='cannot be opened'):
        click.fn(str(broken))


@pytest.fixture
def sample(tmp_path):
    return draw_sample(tmp_path, (64, 128))


@pytest.mark.parametrize(
    ('limits', 'sentence'),
    [
        (dict(megabytes=0.001), r'0 MB, at most 0\.001 are taken'),
        (dict(megapixels=0.005), r'128x64, at most 0\.005 million pixels'),
    ],
)
def test_too_much_is_refused_before_it_is_decoded(limits, sentence, sample):
    check_video(sample, Limits())
    with pytest.raises(ValueError, match=sentence):
        check_video(sample, Limits(**limits))


def test_playlists_are_no_videos(sample, tmp_path):
    """They would show other files of this machine."""
    texts = dict(
        m3u8=f'#EXTM3U\n#EXTINF:1,\n{sample}\n#EXT-X-ENDLIST\n',
        mp4=f"ffconcat version 1.0\nfile '{os.path.basename(sample)}'\n",
    )
    for suffix, text in texts.items():
        path = tmp_path / f'list.{suffix}'
        path.write_text(text)
        with pytest.raises(OSError, match='no video that holds its frames'):
            check_video(str(path), Limits())


def test_a_video_that_takes_too_long_is_given_up(framewise, sample, tmp_path):
    model = VideoSegInferencer(
        str(framewise / 'unet_street.py'), str(framewise / 'iter_2.pth')
    )
    results = tmp_path / 'results'
    results.mkdir()
    with pytest.raises(ValueError, match='given up after 0 seconds and 1 of'):
        segment(sample, dict(a=model), results, limits=Limits(seconds=0))
    assert not list(results.iterdir())
    assert not len(model.streams)  # nor is anything kept of its states


def test_results_are_deleted_after_a_while(tmp_path):
    old, new, other = (
        tmp_path / name for name in ('result_old', 'result_new', 'sample')
    )
    for path in (old, new, other):
        path.mkdir()
        (path / 'video.mp4').write_bytes(b'x')
    for path in (old, other):
        os.utime(path, (0, 0))
    sweep(tmp_path, 3600)
    assert sorted(tmp_path.iterdir()) == sorted([new, other])
    with swept(tmp_path, 0.05):
        end = time.monotonic() + 10
        while new.exists() and time.monotonic() < end:
            time.sleep(0.01)
    assert list(tmp_path.iterdir()) == [other]


def test_limits_of_the_command_reach_the_page(monkeypatch, tmp_path):
    given = ['--config', 'c', '--checkpoint', 'k', '--max-megabytes', '7']
    monkeypatch.setattr(sys, 'argv', ['app', *given, '--max-waiting', '3'])
    limits = parse_args().limits
    assert (limits.megabytes, limits.waiting) == (7, 3)
    page, options = build_page(dict, [], tmp_path, limits=limits)
    assert options['max_file_size'] == 7e6
    assert page._queue.max_size == 3
    (click,) = (f for f in page.fns.values() if f.name == 'clicked')
    assert click.concurrency_limit == 1


def test_a_net_a_filter_and_how_often_it_runs_are_chosen(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(
        'mmseg_video.apis.web_page.open_net',
        lambda name: CallableNet(brightness, CLASSES, stride=8),
    )
    sample = draw_sample(tmp_path, (64, 128))
    choose = NetChoice(['net-a', 'net-b'], 'cpu')
    page, _ = build_page(
        choose, [sample], tmp_path, 4, (64, 128), choose.names
    )
    (click,) = (f for f in page.fns.values() if f.name == 'clicked')
    assert len(click.inputs) == 4
    _, table, _ = click.fn(sample, 'net-b', 'place', 3)
    captions = [line.split(' | ')[0] for line in table.splitlines()[2:]]
    assert captions == ['| net alone', '| place, every 3']
    filters = click.inputs[2]
    assert [value for _, value in filters.choices][:2] == ['default', 'flow']
    suited = choose('net-a', 'default', 1)['default, every 1']
    assert filter_in_words(suited.model) == 'flow-compensated EMA'
    with pytest.raises(Exception, match='answer'):
        click.fn(sample, 'net-a', 'none', 3)


def test_without_gradio_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'gradio', None)
    with pytest.raises(
        RuntimeError, match=r"pip install 'mmseg-video\[app\]'"
    ):
        build_page(dict, [], tmp_path)


def test_a_sample_that_cannot_be_opened_is_told_at_the_start(
    run_tool, tmp_path
):
    code, output = run_tool(
        *(ROOT / 'demo/app.py', '--config', 'none.py'),
        *('--checkpoint', 'none.pth', '--samples', tmp_path / 'none.mp4'),
    )
    assert code == 1
    assert output.strip().splitlines()[-1].startswith('error: no video, image')
