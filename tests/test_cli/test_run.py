"""mmseg-video run (demo/video_demo.py), on a video made here."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mmseg_video.cli import run, running
from mmseg_video.cli.run import parse_args
from mmseg_video.datasets.street_scenes import StreetScene
from mmseg_video.engine.processes import Processes
from mmseg_video.engine.published import find_checkpoint
from mmseg_video.io.frames import open_frames
from mmseg_video.io.writers import VideoWriter
from tests.bright import model
from tests.commands import ROOT, load_tool
from tests.processes import run_job


@pytest.fixture(scope='module')
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp('video') / 'street scene.mp4'
    scene = StreetScene(0, 'val', 0, 64, 128)
    with VideoWriter(path, 20) as writer:
        for t in range(6):
            writer.write(scene.frame(t)[0])
    return path


@pytest.fixture
def demo(run_tool):
    def run(source, folder, out, *arguments):
        return run_tool(
            *(ROOT / 'demo/video_demo.py', source),
            *(folder / 'rnn_unet_street.py', folder / 'iter_2.pth'),
            *('--steady', 'gated', '--out', out, *arguments),
        )

    return run


def test_video_beside_its_baseline(
    demo, video, recurrent, framewise, tmp_path
):
    out = tmp_path / 'out.mp4'
    baseline = (framewise / 'unet_street.py', framewise / 'iter_2.pth')
    code, output = demo(
        *(video, recurrent, out, '--baseline', *baseline),
        *('--panel-width', 320),
    )
    assert code == 0, output[-2000:]
    written = cv2.VideoCapture(str(out))
    assert written.get(cv2.CAP_PROP_FRAME_COUNT) == 6
    assert written.get(cv2.CAP_PROP_FPS) == 20
    assert written.get(cv2.CAP_PROP_FRAME_WIDTH) == 3 * 320 + 2 * 4
    for part in ('decode', 'model', 'draw and write'):
        assert f'{part} ' in output


def test_folder_of_frames_to_gif(demo, recurrent, tmp_path):
    frames = tmp_path / 'frames'
    frames.mkdir()
    for i in range(3):
        img = np.full((64, 128, 3), 60 * i, np.uint8)
        cv2.imwrite(str(frames / f'{i}.png'), img)
    out = tmp_path / 'out.gif'
    labels = tmp_path / 'labels'
    code, output = demo(
        *(frames, recurrent, out, '--max-frames', 2, '--labels', labels),
        '--legend',
    )
    assert code == 0, output[-2000:]
    assert {p.name for p in labels.glob('*.png')} == {'0.png', '1.png'}
    drawn = Image.open(out)
    assert drawn.n_frames == 2
    assert (drawn.width, drawn.height) == (128, 64 + 16 * 20)


def test_ctrl_c_ends_the_video_that_is_written(recurrent, tmp_path):
    frames = tmp_path / 'frames'
    frames.mkdir()
    first = frames / '0000.png'
    cv2.imwrite(str(first), np.zeros((64, 128, 3), np.uint8))
    for i in range(1, 3000):
        (frames / f'{i:04d}.png').symlink_to(first)
    out = tmp_path / 'out.mp4'
    command = [
        *(sys.executable, ROOT / 'demo/video_demo.py', frames, '--out', out),
        *(recurrent / 'rnn_unet_street.py', recurrent / 'iter_2.pth'),
        *('--steady', 'none'),
    ]
    process = subprocess.Popen(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # As a shell leaves it: jobs in the background ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.default_int_handler
        ),
    )
    for line in process.stderr:
        if '/3000 [' in line and ' 0/3000' not in line:
            break
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors[-2000:]
    written = cv2.VideoCapture(str(out)).get(cv2.CAP_PROP_FRAME_COUNT)
    assert 0 < written < 3000
    assert f'{written:.0f} frames; frames/s' in output


def test_arguments_out_of_range(demo, tmp_path):
    for option in (['--resize', 0, 0], ['--panel-width', 0]):
        code, output = demo('in.mp4', tmp_path, tmp_path / 'o.gif', *option)
        assert code == 2
        assert output.startswith('error: argument ')
        assert 'must be >= 32, got 0; see video_demo.py --help' in output


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        (['--mean', '1', '2', '3'], 'are of --model MODEL.onnx'),
        (['--model', 'x', '--providers', 'y'], 'are of --model MODEL.onnx'),
        (['--model', 'x.onnx', '--std', '1', '0', '1'], '--std must be abo'),
        (['--model', 'x.onnx', '--mean', '1', '0', 'nan'], 'must be numbers'),
        (['--classes', 'road'], 'are those of a model: name one'),
        (['--model', 'x', 'a.py', 'b.pth'], 'not both'),
        (['--model', 'x', '--start', 'soon'], "'soon' is no time"),
        (['--model', 'x', '--every', '0'], 'a number >= 1 nor adaptive'),
        (['--model', 'x', '--live', '--every', '2'], 'its own pace'),
        (['--model', 'x', '--min-contrast', 'nan'], 'deviation of grey lev'),
        (['--model', 'x', '--lag', '2', '--offline'], 'not allowed with'),
        (['x', '--baseline', 'a', 'b', 'c'], 'is CONFIG [CHECKPOINT], got 3'),
    ],
)
def test_arguments_that_do_not_fit(arguments, sentence, capsys):
    with pytest.raises(SystemExit) as end:
        parse_args(['in.mp4', *arguments])
    assert end.value.code == 2
    assert sentence in capsys.readouterr().err.strip().splitlines()[-1]


def test_times():
    args = parse_args(
        ['in.mp4', '--model', 'x', '--start', '1:30.5', '--end', '1:00:00']
    )
    assert (args.start, args.end) == (90.5, 3600)


def test_a_model_that_is_not_known(run_tool, video, tmp_path):
    code, output = run_tool(
        *(ROOT / 'demo/video_demo.py', video),
        *('--model', 'pidnet-x', '--out', tmp_path / 'out.mp4'),
    )
    assert code == 1
    last = output.strip().splitlines()[-1]
    assert last.startswith(
        "error: neither mmseg's zoo nor ours has a model 'pidnet-x'"
    )
    assert not list(tmp_path.iterdir())


def test_a_net_of_others_in_place_of_a_config(video, tmp_path):
    out = str(tmp_path / 'out.mp4')
    args = parse_args([str(video), 'torchvision://lraspp', '--out', out])
    with pytest.raises(FileNotFoundError, match=r'is named by --model$'):
        running.open_model(args, Processes())


@pytest.mark.parametrize(
    ('arguments', 'line'),
    [
        ([], 'none (the net has a gated EMA of its own)'),
        (['--steady', 'flow'], 'flow-compensated EMA'),
        (['--model'], 'flow-compensated EMA (default)'),
    ],
)
def test_the_filter_is_told(arguments, line, video, tmp_path, capsys):
    """A net that averages its own scores gets none but for those who ask."""
    name = ['--model', 'unet_street'] if arguments == ['--model'] else []
    name = name or ['rnn_unet_street', *arguments]
    out = ['--labels', str(tmp_path / 'labels'), '--device', 'cpu']
    run.main([str(video), *name, '--max-frames', '1', *out])
    assert f'\nfilter: {line}\n' in capsys.readouterr().out


def test_many_videos_in_two_processes_and_again_after_a_kill(
    video, recurrent, tmp_path
):
    folder, out, number = tmp_path / 'in', tmp_path / 'out', 10
    folder.mkdir()
    for i in range(number):
        (folder / f'{i}.mp4').symlink_to(video)
    (folder / 'broken.mp4').write_bytes(b'none')
    command = [
        *(ROOT / 'demo/video_demo.py', folder),
        *(recurrent / 'rnn_unet_street.py', recurrent / 'iter_2.pth'),
        *('--launcher', 'pytorch', '--out', out, '--json', out / 'json'),
    ]
    # A free port: other jobs of this machine have theirs.
    start = [
        *(sys.executable, '-m', 'torch.distributed.run', '--standalone'),
        *('--nproc_per_node', 2),
    ]
    kill = load_tool('dev/many_videos').kill  # before: it has to be at once
    process = subprocess.Popen(
        [str(part) for part in (*start, *command)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def marks_of(out):
        # Not .NAME.PID.json, one that is being written.
        found = out.glob('.done/[!.]*.json')
        return {path.name: path.stat().st_mtime_ns for path in found}

    while process.poll() is None and not marks_of(out):
        time.sleep(0.02)
    kill(process)
    done = marks_of(out)
    assert 1 <= len(done) < number
    codes, outputs = zip(*run_job(*command, folder=tmp_path), strict=True)
    assert all(codes)
    output = ''.join(outputs)
    left = number - len(done)
    report = f'{left} videos done, {len(done)} were done, 1 failed'
    assert report in output
    assert f'{folder / "broken.mp4"}: the video' in output
    assert f'error: 1 of {number + 1} videos failed' in output
    marks = marks_of(out)
    assert sorted(marks) == [f'{i}.json' for i in range(number)]
    # Nothing twice.
    assert {name: marks[name] for name in done} == done
    for i in range(number):
        assert len(list(open_frames(out / f'{i}.mp4'))) == 6
        lines = (out / f'json/{i}.ndjson').read_text().splitlines()
        assert len(lines) == 6
    assert not list(out.rglob('.writing-*'))


def test_a_video_that_cannot_be_opened(demo, recurrent, tmp_path):
    broken = tmp_path / 'broken.mp4'
    broken.write_bytes(b'none')
    code, output = demo(broken, recurrent, tmp_path / 'out.gif')
    assert code == 1
    last = output.strip().splitlines()[-1]
    assert last.startswith(f"error: the video '{broken}' cannot be opened")
    assert not (tmp_path / 'out.gif').exists()


def test_the_input_is_not_written_over(demo, video, recurrent):
    before = video.read_bytes()
    code, output = demo(video, recurrent, video)
    assert code == 1
    assert 'is the input too' in output.strip().splitlines()[-1]
    assert video.read_bytes() == before


def test_what_was_drawn_before_a_frame_of_another_size_is_kept(
    demo, recurrent, tmp_path
):
    for i, width in enumerate((128, 128, 64)):
        img = np.full((64, width, 3), 60 * i, np.uint8)
        cv2.imwrite(str(tmp_path / f'{i}.png'), img)
    out = tmp_path / 'out.mp4'
    code, output = demo(tmp_path, recurrent, out)
    assert code == 1
    last = output.strip().splitlines()[-1]
    assert 'must have one size' in last
    assert f"The 2 frames before are in '{out}'" in last
    assert len(list(open_frames(out))) == 2


def test_frames_are_shown_at_the_times_of_the_source(
    demo, recurrent, tmp_path
):
    times = [0, 0.1, 0.2, 0.5, 0.9]
    source, out = tmp_path / 'in.mp4', tmp_path / 'out.mp4'
    with VideoWriter(source, 10) as writer:
        for i, time in enumerate(times):
            writer.write(np.full((64, 128, 3), 50 * i, np.uint8), time)
    code, output = demo(source, recurrent, out)
    assert code == 0, output[-2000:]
    got = [time for _, time in open_frames(out).timed]
    np.testing.assert_allclose(got, times, atol=1e-3)
    code, output = demo(source, recurrent, out, '--fps', 5)
    assert code == 0, output[-2000:]
    got = [time for _, time in open_frames(out).timed]
    np.testing.assert_allclose(got, [0, 0.2, 0.4, 0.6, 0.8], atol=1e-3)


def test_a_camera_is_opened_once(monkeypatch, tmp_path):
    opened = []

    class Camera:
        def __init__(self, source):
            opened.append(source)
            self.left = 3

        def isOpened(self):
            return True

        def read(self):
            self.left -= 1
            return self.left >= 0, (
                np.zeros((64, 64, 3), np.uint8) if self.left >= 0 else None
            )

        def get(self, name):
            return 30.0

        def release(self):
            pass

    monkeypatch.setattr(cv2, 'VideoCapture', Camera)
    monkeypatch.setattr(running, 'open_model', lambda *_: model())
    run.main(['7', '--model', 'any', '--labels', str(tmp_path / 'labels')])
    assert opened == [7]
    assert len(list((tmp_path / 'labels').glob('*.png'))) == 3


def test_the_codec_s_flow_reaches_the_filter(
    video, monkeypatch, tmp_path, capsys
):
    """And what has no motion vectors ends in a sentence."""
    made = []

    def steadied(name, **options):
        made.append(options['flow'])
        return model(filter='flow', flow=options['flow'])

    monkeypatch.setattr(running, 'steady', steadied)
    targets = ['--model', 'any', '--flow', 'codec', '--labels']
    run.main([str(video), *targets, str(tmp_path / 'labels')])
    assert made == ['codec']
    line = "\nfilter: flow-compensated EMA along the codec's motion vectors\n"
    assert line in capsys.readouterr().out
    assert len(list((tmp_path / 'labels').glob('*.png'))) == 6
    cv2.imwrite(str(tmp_path / '0.png'), np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(SystemExit):
        run.main([str(tmp_path / '0.png'), *targets, str(tmp_path / 'other')])
    assert "0.png' has no motion vectors" in capsys.readouterr().err


def test_without_a_model_it_is_one_of_ours(
    video, monkeypatch, tmp_path, capsys
):
    opened = []

    def open_model(args, processes):
        opened.append((args.config, args.checkpoint))
        return model()

    monkeypatch.setattr(running, 'open_model', open_model)
    run.main([str(video), '--labels', str(tmp_path / 'labels')])
    assert opened == [('unet_imagenet_camvid', None)]
    assert 'no model is named: unet_imagenet_camvid' in capsys.readouterr().err
    # What its config says is there.
    assert Path(find_checkpoint(None, running.OURS)).is_file()


def test_a_graph_of_others_is_told_its_classes_and_colours(
    video, monkeypatch, tmp_path, capsys
):
    made = []

    def steadied(name, **options):
        made.append(options)
        return model()

    monkeypatch.setattr(running, 'steady', steadied)
    names = tmp_path / 'names.txt'
    names.write_text('road\n\nmy car\n')
    entries = [dict(id=i, name=str(i), color=[i, 0, 9]) for i in range(2)]
    (tmp_path / 'classes.json').write_text(json.dumps(entries))
    for i, classes in enumerate(
        (['a', 'b'], [names], [tmp_path / 'classes.json'])
    ):
        argv = [video, '--labels', tmp_path / str(i), '--model', 'net.onnx']
        argv += ['--mean', 1, 2, 3, '--bgr', '--classes', *classes]
        run.main([str(part) for part in argv])
    assert [options['classes'] for options in made] == [
        *(['a', 'b'], ['road', 'my car'], ['0', '1'])
    ]
    assert made[2]['palette'] == [[0, 0, 9], [1, 0, 9]]
    assert made[0]['mean'] == [1, 2, 3]
    assert made[0]['bgr'] is True
    assert not {'std', 'palette', 'providers'} & set(made[0])
    names.write_bytes(bytes([255, 254, 200]))
    for path, sentence in (
        (tmp_path / 'none.txt', 'no list of classes'),
        (names, 'is no list of classes'),
    ):
        argv = [str(video), '--labels', str(tmp_path / 'other')]
        argv += ['--model', 'net.onnx', '--classes', str(path)]
        with pytest.raises(SystemExit):
            run.main(argv)
        assert sentence in capsys.readouterr().err
