"""One step as ONNX: as PyTorch has it, over a whole stream."""

import copy
import subprocess
import sys

import cv2
import numpy as np
import onnx
import pytest
import torch
from PIL import Image

from mmseg_video.apis import VideoSegInferencer, steady
from mmseg_video.cli import run_onnx
from mmseg_video.cli.export import main, parse_args
from mmseg_video.deployment.onnx import (
    export_checked,
    export_onnx,
    largest_error,
)
from mmseg_video.deployment.runner import StreamRunner
from mmseg_video.flow.full_frames import FullFrames
from mmseg_video.flow.previous import FlowToPrevious
from mmseg_video.flow.stacked import StackedFlow
from mmseg_video.flow.usable_frames import UsableFrames
from mmseg_video.io.frames import open_frames
from mmseg_video.io.writers import VideoWriter
from mmseg_video.models import EMAFilter, RecurrentNet, SteadySegmentor
from tests.commands import ROOT, TOOLS
from tests.frames import moving
from tests.models import (
    FRAMEWISE,
    NORM,
    RECURRENT,
    build,
    split_by_threshold,
    wake,
)
from tests.onnx_files import external_graph, small_graph
from tests.test_models.test_mask_feedback_segmentor import AUTHORS

NORMALISED = dict(
    type='ClipDataPreProcessor',
    mean=[120.0, 110.0, 100.0],
    std=[60.0, 55.0, 50.0],
    bgr_to_rgb=True,
)
# Three levels and few operations: a dozen of them take seconds to export.
CHANNELS = [8, 16, 16]
BN = dict(type='BN')
HEAD = dict(
    type='UNetHead',
    in_channels=CHANNELS,
    channels=8,
    num_classes=5,
    norm_cfg=BN,
    num_convs=1,
)
NECK = dict(type='ConvRNNNeck', in_channels=CHANNELS, hidden_ratio=0.5)
FILTER = dict(type='EMAFilter', weight=0.3)
SMOOTHED = dict(
    type='RecurrentUNet',
    data_preprocessor=NORMALISED,
    backbone=dict(
        type='DoubleConvEncoder', base_channels=8, num_levels=2, norm_cfg=BN
    ),
    decode_head=HEAD,
    filter=FILTER,
    train_cfg=dict(),
    test_cfg=dict(mode='whole'),
)
SMALL = {**SMOOTHED, 'neck': NECK, 'filter': None}
# A gated EMA and an average, along the flow.
COMPENSATED = dict(
    SMALL,
    head_rnns=dict(
        conv_seg=dict(
            cell=dict(type='GatedEMACell', keep=0.6), connection='standard'
        )
    ),
    filter=FILTER,
    flow_compensated=True,
)
# Each covers several cells, connections, norms and places, which share their
# paths. The tool below exports a ResNet with GRUs on all levels.
VARIANTS = {
    'lstm, depthwise and dense, and a gated EMA of the logits': dict(
        SMALL,
        neck=dict(
            NECK,
            cell=dict(type='ConvLSTMCell', conv='depthwise'),
            connection='dense',
        ),
        decode_head=dict(HEAD, in_channels=[c * 3 // 2 for c in CHANNELS]),
        head_rnns=dict(
            conv_seg=dict(
                cell=dict(type='GatedEMACell'), connection='standard'
            )
        ),
    ),
    'plain and split, in the decoder, of group norm': dict(
        SMALL,
        decode_head=dict(HEAD, norm_cfg=NORM),
        neck=dict(
            NECK,
            levels=[2],
            cell=dict(type='ElmanCell'),
            connection='split',
        ),
        head_rnns={
            'joins.0': dict(cell=dict(type='DRUCell')),
            'conv_seg': dict(hidden_ratio=0.5),
        },
    ),
    'standard, of two levels, and a final RNN': dict(
        SMALL,
        neck=dict(NECK, levels=[1, 2], connection='standard'),
        final_rnn=dict(cell=dict(type='ConvLSTMCell'), hidden_ratio=0.5),
    ),
}


@pytest.fixture(scope='module')
def gru(tmp_path_factory):
    """A recurrent net and its file."""
    model = wake(build(SMALL))
    return model, export(model, tmp_path_factory.mktemp('gru') / 'model.onnx')


@pytest.fixture(scope='module')
def compensated(tmp_path_factory):
    """A net with flow-compensated averages, and its file."""
    path = tmp_path_factory.mktemp('compensated') / 'model.onnx'
    model = wake(build(COMPENSATED))
    return model, export(model, path)


NAMES = [f'class {i}' for i in range(5)]
PALETTE = [[10 * i, 20 * i, 30 * i] for i in range(5)]


def export(model, path, flow=None):
    export_onnx(model, path, NAMES, PALETTE, flow)
    return path


@pytest.mark.parametrize('name', VARIANTS)
def test_thirty_frames_agree_with_pytorch(name, tmp_path):
    model = wake(build(VARIANTS[name]))
    path = export(model, tmp_path / 'model.onnx')
    assert largest_error(model, path, 30, (64, 96)) < 1e-3


@pytest.mark.parametrize(
    'model',
    [dict(AUTHORS, num_steps=2), SMOOTHED],
    ids=['mask feedback', 'filter'],
)
def test_other_systems_agree_with_pytorch(model, tmp_path):
    model = build(model)
    path = export(model, tmp_path / 'model.onnx')
    assert largest_error(model, path, 5, (64, 96), batch=3) < 1e-3


def test_one_logit_for_two_classes(tmp_path):
    """By the net, and by the state of its filter."""
    head = dict(HEAD, num_classes=2, out_channels=1, threshold=0.3)
    model = build(SMOOTHED, decode_head=head)
    frame = moving(1)[0]
    image = torch.from_numpy(frame).permute(2, 0, 1)
    data = model.data_preprocessor(dict(inputs=[image]))
    split_by_threshold(model, data['inputs'])
    (want,) = model.test_step(dict(inputs=[image]))
    path = export(model, tmp_path / 'model.onnx')
    assert largest_error(model, path, 4, (64, 96)) < 1e-3
    runner = StreamRunner(path)
    for answer in (runner.step, runner.propagate):
        ((label,),) = answer(frame[None])
        assert np.mean(label == want.pred_sem_seg.data[0].numpy()) > 0.99
    assert 0.2 < label.mean() < 0.8


def test_what_the_preprocessor_pads(tmp_path, monkeypatch):
    """On the frames and the flow, by the net and by the state alone; the
    check sees where it is left out."""
    padding = dict(NORMALISED, test_cfg=dict(size_divisor=32), pad_val=2)
    model = build(SMOOTHED, data_preprocessor=padding, flow_compensated=True)
    path = tmp_path / 'model.onnx'
    arguments = (model, path, NAMES, PALETTE)
    export_checked(*arguments, num_frames=3, size=(64, 96))
    assert largest_error(model, path, 6, (70, 90), batch=2) < 1e-3
    path.unlink()
    monkeypatch.setattr(
        'mmseg_video.deployment.onnx.pad_frames', lambda _, frames: frames
    )
    with pytest.raises(RuntimeError, match='and is not written'):
        export_checked(*arguments, num_frames=3, size=(64, 96))
    assert not path.exists()


def test_the_flow_counts(compensated):
    model, path = compensated
    assert largest_error(model, path, 30, (64, 96)) < 1e-3
    assert largest_error(model, path, 5, (70, 90), batch=3) < 1e-3
    model = copy.deepcopy(model)
    model.on_missing_flow = 'still'
    runner, plain = StreamRunner(path), None
    rng = np.random.default_rng(0)
    for _ in range(2):
        frame = rng.integers(0, 256, (1, 64, 96, 3), np.uint8)
        flow = np.full((1, 3, 32, 48), 2, np.float32)
        flow[:, 2] = 1
        (got,) = runner.step(frame, flow, ['logits'])
        inputs = torch.from_numpy(frame).permute(0, 3, 1, 2)
        data = model.data_preprocessor(dict(inputs=[inputs]))
        with torch.no_grad():
            want, plain = model.step(data['inputs'][:, 0], plain)
    assert np.abs(got - want.numpy()).max() > 1e-2


def test_a_net_and_its_filter_with_flows_of_their_own(tmp_path):
    """And opened again, behind another filter."""
    net = wake(build(dict(COMPENSATED, filter=None, neck=None)))
    model = SteadySegmentor(RecurrentNet(net, NAMES), EMAFilter(0.3)).eval()
    flow = StackedFlow([FlowToPrevious(noise_scale=4.0), FlowToPrevious()])
    path = export(model, tmp_path / 'model.onnx', flow)
    assert largest_error(model, path, 6, (70, 90), batch=2) < 1e-3
    frames = moving(5, 2)
    video = VideoSegInferencer.from_model(
        model, NAMES, PALETTE, flow, device='cpu', every=2
    )
    want = [p.label for p in video.predict(frames)]
    runner = StreamRunner(path, full_frames=FullFrames(2))
    assert runner.flow_channels == 6
    got = [label for _, label in runner.predict(frames)]
    assert np.mean(np.stack(got) == np.stack(want)) > 0.99
    again = steady(str(path), filter='none', device='cpu', min_contrast=0)
    assert again.flow.settings == flow.settings
    whole = VideoSegInferencer.from_model(
        model, NAMES, PALETTE, flow, device='cpu'
    )
    pairs = zip(again.predict(frames), whole.predict(frames), strict=True)
    for one, other in pairs:
        assert np.mean(one.label == other.label) > 0.99
    # Its second graph answers there too.
    some = steady(
        *(str(path), None, 'none'), device='cpu', min_contrast=0, every=2
    )
    predictions = list(some.predict(frames))
    assert [p.full for p in predictions] == [True, False] * 2 + [True]
    for prediction, label in zip(predictions, got, strict=True):
        assert np.mean(prediction.label == label) > 0.99
    behind = steady(str(path), filter='flow', device='cpu')
    assert behind.flow.channels == 9
    assert len(list(behind.predict(frames))) == 5


def test_frames_on_which_the_net_does_not_run(compensated, gru):
    """The second graph runs no net, and predict() uses it."""
    model, path = compensated
    assert largest_error(model, path, 6, (70, 90), batch=2) < 1e-3
    runner = StreamRunner(path, full_frames=FullFrames(3))
    step, runs = runner.step, []
    runner.step = lambda *args: runs.append(1) or step(*args)
    frames = moving(7, 2)
    labels = [label for _, label in runner.predict(frames)]
    assert len(runs) == 3
    assert len(labels) == 7
    with pytest.raises(ValueError, match='before the first step'):
        StreamRunner(path).propagate(frames[0][None])
    _, path = gru
    with pytest.raises(ValueError, match='no graph that propagates'):
        StreamRunner(path).propagate(frames[0][None])
    with pytest.raises(ValueError, match=r'every=3: .* has nothing that'):
        StreamRunner(path, full_frames=FullFrames(3))


@pytest.mark.parametrize('name', ['compensated', 'gru'])
def test_flat_frames_hold_the_last_labels(name, request):
    _, path = request.getfixturevalue(name)
    runner = StreamRunner(path, usable=UsableFrames())
    step, runs = runner.step, []
    runner.step = lambda *args: runs.append(1) or step(*args)
    frames = moving(5, 2)
    flat = [np.zeros_like(frames[0])] * 2
    labels = [x for _, x in runner.predict([*frames[:2], *flat, frames[4]])]
    assert len(runs) == 3
    np.testing.assert_array_equal(labels[2:4], [labels[1]] * 2)
    alone = StreamRunner(path).predict([*frames[:2], frames[4]])
    *_, (_, last) = alone
    np.testing.assert_array_equal(labels[4], last)


def test_states_and_flow_that_do_not_fit_are_refused(compensated):
    _, path = compensated
    runner = StreamRunner(path)
    frame = np.zeros((1, 64, 96, 3), np.uint8)
    flow = np.zeros((1, 3, 64, 96), np.float32)
    with pytest.raises(ValueError, match='needs a flow, which predict'):
        runner.step(frame)
    runner.step(frame, flow)
    held = runner.states
    with pytest.raises(ValueError, match=r'cannot be predicted with the stat'):
        runner.step(frame[:, :32], flow)
    assert runner.states is held
    runner.states = {'conv_seg.0': held['filter.0']}
    with pytest.raises(
        ValueError, match=r'the states are conv_seg\.0, this e'
    ):
        runner.step(frame, flow)


def test_size_and_batch_are_free_and_the_past_counts(gru):
    model, path = gru
    assert largest_error(model, path, 30, (64, 96)) < 1e-3
    assert largest_error(model, path, 3, (70, 90), batch=3) < 1e-3
    # Were states lost, it would show.
    forgets = build(SMALL)
    assert largest_error(forgets, path, 3, (70, 90)) > 1e-3


def test_inputs_and_outputs_have_names(gru, compensated):
    _, path = gru
    graph = onnx.load(path).graph
    states = [f'neck.0.{i}' for i in range(3)]
    assert [v.name for v in graph.input] == ['frame', *states]
    assert [v.name for v in graph.output] == [
        *('logits', 'labels'),
        *(f'next.{name}' for name in states),
    ]
    _, path = compensated
    frame, flow, *states = [v.name for v in onnx.load(path).graph.input]
    assert (frame, flow) == ('frame', 'flow')
    averages = {f'{of}.{i}' for of in ('conv_seg', 'filter') for i in (0, 1)}
    assert set(states) == {*averages, *(f'neck.0.{i}' for i in range(3))}


def test_a_framewise_model_is_refused(tmp_path):
    with pytest.raises(ValueError, match='EncoderDecoder has no states'):
        export(build(FRAMEWISE), tmp_path / 'model.onnx')
    no_rnn = build({k: v for k, v in RECURRENT.items() if k != 'neck'})
    with pytest.raises(ValueError, match='RecurrentUNet has no states'):
        export(no_rnn, tmp_path / 'model.onnx')
    assert list(tmp_path.iterdir()) == []


class Pooled(torch.nn.Module):
    """Logits and their means over a grid, whose cells no graph of any size
    has."""

    def forward(self, x):
        pooled = torch.nn.functional.adaptive_avg_pool2d(x, (3, 5))
        return x + torch.nn.functional.interpolate(pooled, x.shape[2:])


def test_a_model_for_frames_of_one_size(tmp_path):
    model = build(SMOOTHED)
    model.decode_head.conv_seg = torch.nn.Sequential(
        model.decode_head.conv_seg, Pooled()
    )
    path = tmp_path / 'model.onnx'
    arguments = (model, path, ['a, b', *NAMES[1:]], PALETTE)
    with pytest.raises(
        RuntimeError, match=r'only_size \(--only-size'
    ) as error:
        export_checked(*arguments, num_frames=2, size=(64, 96))
    assert '\n' not in str(error.value)
    assert list(tmp_path.iterdir()) == []
    size = (50, 70)
    export_checked(*arguments, num_frames=4, only_size=size)
    runner = StreamRunner(path)
    assert runner.size == size
    assert runner.classes[0] == 'a, b'
    frames = moving(1)[0][None]
    for step in (runner.step, runner.propagate):
        runner.states = {k: np.zeros((1, 1, 2, 2)) for k in runner.states}
        with pytest.raises(ValueError, match=r'of 50x70 alone.*--resize 50 7'):
            step(frames)
    again = steady(str(path), filter='none', device='cpu')
    assert again.classes[0] == 'a, b'
    with pytest.raises(ValueError, match=r'of 50x70 alone.*--resize 50 7'):
        again.predict_frame(frames[0])
    assert again.predict_frame(frames[0][:50, :70]).label.shape == size


def test_what_no_graph_can_hold_is_named(tmp_path):
    class Unpredictable(torch.nn.Module):
        def forward(self, x):
            return x * 2 if x.mean() > 0 else x

    model = build(SMALL)
    model.decode_head.conv_seg = torch.nn.Sequential(
        model.decode_head.conv_seg, Unpredictable()
    )
    with pytest.raises(RuntimeError, match='data-dependent') as error:
        export(model, tmp_path / 'model.onnx')
    assert '\n' not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_states_of_a_head_that_aligns_corners(tmp_path):
    head = dict(HEAD, align_corners=True)
    model = wake(build(COMPENSATED, decode_head=head, neck=None, filter=None))
    path = export(model, tmp_path / 'model.onnx')
    assert largest_error(model, path, 6, (70, 90), batch=2) < 1e-3


def test_any_net_with_its_filter_from_the_command_line(
    run_tool, framewise, tmp_path
):
    """And run without PyTorch: label maps, and the net on some frames."""
    out = tmp_path / 'steady.onnx'
    net = framewise / 'unet_street.py', framewise / 'iter_2.pth'
    code, output = run_tool(
        *(TOOLS / 'export_onnx.py', *net, out),
        *('--size', 64, 128, '--check', 3),  # the default: flow
    )
    assert code == 0, output[-2000:]
    with VideoWriter(tmp_path / 'in.mp4', 20) as writer:
        for frame in moving(4, 2, height=64, width=128):
            writer.write(frame)
    labels = tmp_path / 'labels'
    code, output = run_tool(
        *(ROOT / 'demo/onnx_demo.py', tmp_path / 'in.mp4', out),
        *('--out', tmp_path / 'out.mp4', '--labels', labels),
        *('--every', 'adaptive', '--max-every', 2),
    )
    assert code == 0, output[-2000:]
    runner = StreamRunner(out, full_frames=FullFrames('adaptive', 2))
    for i, (_, label) in enumerate(
        runner.predict(open_frames(tmp_path / 'in.mp4'))
    ):
        with Image.open(labels / f'{i:06d}.png') as image:
            np.testing.assert_array_equal(np.asarray(image), label)
    assert (labels / 'classes.json').exists()
    short = tmp_path / 'short.mp4'
    code, output = run_tool(
        *(ROOT / 'demo/onnx_demo.py', tmp_path / 'in.mp4', out),
        *('--out', short, '--max-frames', 2),
    )
    assert code == 0, output[-2000:]
    assert '2/2' in output
    assert '2 frames, ' in output
    assert len(list(open_frames(short))) == 2
    code, output = run_tool(
        TOOLS / 'export_onnx.py', *net, out, '--steady', 'gated'
    )
    assert code == 1
    assert 'has no states to carry: export it with the filter' in output


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        (['out.onnx'], 'give CONFIG [CHECKPOINT] OUT.onnx, or --model NAME'),
        (['a.py', 'b.pth'], "comes last, an .onnx: 'b.pth'"),
        (['a.py', 'b.pth', 'o.onnx', '--model', 'x'], 'not both'),
        (['o.onnx', '--model', 'x.onnx'], "'x.onnx' is exported already"),
        (['o.onnx', '--model', 'x', '--steady', 'gated'], 'of ours'),
    ],
)
def test_arguments_of_the_export_that_do_not_fit(arguments, sentence, capsys):
    with pytest.raises(SystemExit) as end:
        parse_args(arguments)
    assert end.value.code == 2
    assert sentence in capsys.readouterr().err.strip().splitlines()[-1]


def test_a_name_needs_no_checkpoint(monkeypatch, tmp_path):
    exported = []

    def export_checked(model, path, classes, *_):
        exported.append((model, classes))

    place = 'mmseg_video.deployment.onnx.export_checked'
    monkeypatch.setattr(place, export_checked)
    for name in ('unet_street', 'rnn_unet_street'):
        main([name, str(tmp_path / 'o.onnx')])
    (framewise, classes), (recurrent, _) = exported
    assert framewise.own_filter == 'flow-compensated EMA'
    assert recurrent.own_filter == 'gated EMA'
    assert len(classes) == 19


def test_the_tool_and_a_runner_without_torch(run_tool, awake, tmp_path):
    path = tmp_path / 'model.onnx'
    code, output = run_tool(
        TOOLS / 'export_onnx.py',
        *(awake.parent / 'rnn_unet_street.py', awake, path),
        *('--size', 64, 128, '--check', 5),
    )
    assert code == 0, output[-2000:]
    assert 'largest difference' in output
    rng = np.random.default_rng(0)
    with VideoWriter(tmp_path / 'in.mp4', 20) as writer:
        for _ in range(4):
            writer.write(rng.integers(0, 256, (64, 128, 3), np.uint8))
    # Neither PyTorch nor OpenMMLab can be imported there.
    names = ('torch', 'torchvision', 'mmseg', 'mmengine', 'mmcv')
    block = f'import sys; sys.modules.update(dict.fromkeys({names!r})); '
    run = 'import runpy; runpy.run_path(sys.argv[0], run_name="__main__")'
    argv = [ROOT / 'demo/onnx_demo.py', tmp_path / 'in.mp4', path]
    argv += ['--out', tmp_path / 'out.mp4', '--resize', 63, 127]
    argv = [str(a) for a in argv]
    subprocess.run(
        [sys.executable, '-c', f'{block}sys.argv = {argv!r}; {run}'],
        check=True,
    )
    # Every row and column, and the last ones again: codecs want even sizes.
    shapes = [frame.shape for frame in open_frames(tmp_path / 'out.mp4')]
    assert shapes == [(64, 128, 3)] * 4
    video = tmp_path / 'in.mp4'
    for wrong, sentence in (
        (video, f"the model '{video}' cannot be opened"),
        (tmp_path / 'none.onnx', f"no model '{tmp_path / 'none.onnx'}'"),
    ):
        argv = ROOT / 'demo/onnx_demo.py', video, wrong, '--out', 'o.mp4'
        code, output = run_tool(*argv)
        assert code == 1
        last = output.strip().splitlines()[-1]
        assert last.startswith(f'error: {sentence}')
    argv = ROOT / 'demo/onnx_demo.py', video, path, '--out', 'o.txt'
    code, output = run_tool(*argv)
    assert code == 1
    assert output.startswith("error: cannot write 'o.txt': name a .gif")
    code, output = run_tool(
        *(ROOT / 'demo/onnx_demo.py', video, path),
        *('--out', video),
    )
    assert code == 1
    assert 'error: ' in output
    assert cv2.VideoCapture(str(video)).get(cv2.CAP_PROP_FRAME_COUNT) == 4


@pytest.mark.parametrize(
    ('out', 'sentence'),
    [
        (['mine.txt/o.mp4'], "mine.txt' is a file, where a folder is to be"),
        (['o', '--labels', 'mine.txt/o'], "mine.txt' is a file, where a fold"),
        (['/proc/a/o.mp4'], "nothing can be made in '/proc'"),
        (['o.avi'], 'name a .gif'),
    ],
)
def test_outputs_are_refused_before_the_model_is_read(
    out, sentence, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'mine.txt').touch()
    with pytest.raises(SystemExit, match=sentence):
        run_onnx.main(['video.mp4', 'no model.onnx', '--out', *out])
    assert [path.name for path in tmp_path.iterdir()] == ['mine.txt']


def test_a_model_that_reads_other_files_is_refused(tmp_path):
    (tmp_path / 'secret').write_bytes(bytes(4))
    content = external_graph('secret')
    path = tmp_path / 'x.onnx'
    path.write_bytes(content)
    with pytest.raises(ValueError, match='reads other files'):
        StreamRunner(path)
    # Protobuf lets a length be written longer than it need be.
    path.write_bytes(content.replace(b'\x08location', b'\x88\x00location'))
    with pytest.raises(ValueError, match='reads other files'):
        StreamRunner(path)
    path.write_bytes(b'')
    with pytest.raises(ValueError, match='is empty'):
        StreamRunner(path)
    with pytest.raises(FileNotFoundError, match='no model'):
        StreamRunner(tmp_path / 'none.onnx')


DAMAGED = {
    'no palette': (dict(palette=None), 'palette'),
    'a palette of text': (dict(palette='a,b,c'), 'invalid literal'),
    'a palette that is cut': (dict(palette='0,1'), '1 classes, 2 / 3 col'),
    'colours of other classes': (dict(classes='a,b'), '2 classes, 3 / 3'),
    'colours that are none': (dict(palette='0,256,-1'), 'a colour that is'),
    'flow of text': (dict(flow='x'), 'JSONDecodeError'),
    'no flow': (dict(flow=None), "'flow'"),
    'a propagation that is none': (dict(propagation='AAAA'), 'damaged'),
    'text for a propagation': (dict(propagation='?'), 'damaged'),
}


@pytest.mark.parametrize('case', DAMAGED)
def test_metadata_that_are_damaged_are_named(case, tmp_path):
    changes, says = DAMAGED[case]
    good = dict(classes='road', palette='1,2,255', flow='{}')
    path = tmp_path / 'x.onnx'
    path.write_bytes(small_graph(('frame', 'flow'), **good))
    runner = StreamRunner(path)
    assert runner.palette.tolist() == [[1, 2, 255]]
    with pytest.raises(ValueError, match=r'settings of the flow .* damaged'):
        next(runner.predict([np.zeros((64, 64, 3), np.uint8)]))
    meta = {k: v for k, v in {**good, **changes}.items() if v is not None}
    path.write_bytes(small_graph(('frame', 'flow'), **meta))
    with pytest.raises(ValueError, match=r"x\.onnx' is damaged") as error:
        StreamRunner(path)
    assert says in str(error.value)
    assert '\n' not in str(error.value)
