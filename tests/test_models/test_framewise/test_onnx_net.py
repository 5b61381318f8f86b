"""ONNX files of anyone's, and those of this package."""

import base64
import sys

import numpy as np
import pytest
import torch

from mmseg_video.apis import open_net, steady
from mmseg_video.deployment.onnx import export_checked
from mmseg_video.flow.estimators import build_flow
from mmseg_video.io.onnx_files import propagation_graph
from mmseg_video.models import CallableNet, EMAFilter, SteadySegmentor
from tests.models import NUM_CLASSES
from tests.onnx_files import external_graph

CLASSES = [f'class {i}' for i in range(NUM_CLASSES)]
PALETTE = [[i, 2 * i, 3 * i] for i in range(NUM_CLASSES)]


class Pooled(torch.nn.Module):
    def forward(self, images):
        images = torch.nn.functional.avg_pool2d(images, 4)
        return torch.cat([images, 1 - images[:, :2]], 1)


def exported(path, free=True, **metadata):
    """A graph as people export them; what it computes too."""
    import onnx

    net = Pooled()
    auto = torch.export.Dim.AUTO
    program = torch.onnx.export(
        net,
        (torch.rand(1, 3, 64, 96),),
        dynamic_shapes=({2: auto, 3: auto},) if free else None,
        dynamo=True,
        verbose=False,
    )
    graph = program.model_proto
    for key, value in metadata.items():
        graph.metadata_props.add(key=key, value=value)
    onnx.save(graph, path)
    return net


@torch.no_grad()
def test_a_graph_of_anyones(tmp_path):
    names = str(dict(enumerate(CLASSES)))  # as some exporters write them
    net = exported(tmp_path / 'net.onnx', names=names)
    mean, std = [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]
    ours = open_net(tmp_path / 'net.onnx', mean=mean, std=std, bgr=True)
    assert ours.classes == tuple(CLASSES)
    frames = torch.rand(1, 3, 32, 64) * 255
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (mean, std))
    torch.testing.assert_close(ours.scores(frames), net((frames - mean) / std))


def test_a_graph_of_one_size(tmp_path):
    exported(tmp_path / 'net.onnx', free=False)
    with pytest.raises(ValueError, match='does not name its classes'):
        open_net(tmp_path / 'net.onnx')
    video = steady(str(tmp_path / 'net.onnx'), CLASSES, device='cpu')
    frame = np.random.default_rng(0).integers(0, 256, (50, 70, 3), np.uint8)
    assert video.predict_frame(frame).label.shape == (50, 70)


@pytest.mark.parametrize('compensated', [False, True])
@torch.no_grad()
def test_a_steadied_net_is_exported_and_opened_again(compensated, tmp_path):
    """Padding, filter, warp and resize are part of the graph."""
    model = SteadySegmentor(
        CallableNet(Pooled(), CLASSES),
        EMAFilter(0.3),
        flow_compensated=compensated,
    ).eval()
    path = tmp_path / 'steady.onnx'
    flow = build_flow() if compensated else None
    error = export_checked(
        *(model, path, CLASSES, PALETTE, flow), num_frames=3, size=(70, 100)
    )
    assert error < 1e-3
    ours = open_net(path)
    assert ours.classes == tuple(CLASSES)
    assert ours.palette == PALETTE
    assert ours.flow_compensated == compensated
    again = SteadySegmentor(ours).eval()
    clip = torch.randint(256, (3, 1, 3, 64, 96)).float()
    flow = torch.rand(1, 3, 32, 48) if compensated else None
    states = own = None
    for frame in clip:
        got, own = again.step(frame, own, flow)
        want, states = model.step(frame, states, flow)
    torch.testing.assert_close(got, want, rtol=1e-3, atol=1e-3)


def test_what_is_no_graph(tmp_path):
    with pytest.raises(FileNotFoundError, match='no model'):
        open_net('none.onnx', CLASSES)
    (tmp_path / 'net.onnx').write_bytes(b'nothing')
    with pytest.raises(ValueError, match='cannot be opened'):
        open_net(tmp_path / 'net.onnx', CLASSES)


def test_a_graph_that_reads_other_files_is_not_opened(tmp_path):
    path, secret = tmp_path / 'net.onnx', tmp_path / 'secret'
    secret.write_bytes(bytes(4))
    path.write_bytes(external_graph('secret'))
    with pytest.raises(ValueError, match='reads other files'):
        open_net(path, CLASSES)


def test_names_that_are_none(tmp_path):
    exported(tmp_path / 'net.onnx', names='(' * 9)
    with pytest.raises(ValueError, match='neither a list nor a dict'):
        open_net(tmp_path / 'net.onnx')


def test_a_net_with_too_few_classes_is_said_so(tmp_path):
    exported(tmp_path / 'net.onnx')
    video = steady(str(tmp_path / 'net.onnx'), CLASSES[:3], device='cpu')
    frame = np.zeros((32, 32, 3), np.uint8)
    with pytest.raises(ValueError, match='has 3 classes'):
        video.predict_frame(frame)
    assert isinstance(video.model.framewise, CallableNet)


def test_a_provider_that_is_not_there(tmp_path):
    exported(tmp_path / 'net.onnx')
    with pytest.raises(ValueError, match="no provider 'Toaster': it has "):
        open_net(tmp_path / 'net.onnx', CLASSES, providers=['Toaster'])
    providers = ['CPUExecutionProvider']
    net = open_net(tmp_path / 'net.onnx', CLASSES, providers=providers)
    assert net.session.get_providers() == providers


def test_a_filter_behind_a_filter_is_told_of(tmp_path, monkeypatch):
    model = SteadySegmentor(CallableNet(Pooled(), CLASSES), EMAFilter(0.3))
    path = tmp_path / 'steady.onnx'
    export_checked(
        *(model.eval(), path, CLASSES, PALETTE, build_flow()), num_frames=0
    )
    told = []
    monkeypatch.setattr(
        sys.modules['mmseg_video.apis.steady'],
        'print_log',
        lambda text, **_: told.append(text),
    )
    for filter in ('none', None):
        alone = steady(path, filter=filter, device='cpu')
        assert alone.model.filter is None
    assert told == []
    steady(path, filter='flow', device='cpu')
    assert 'has a filter of its own' in told[0]


def test_several_streams_through_a_graph_of_one_frame(tmp_path):
    net = exported(tmp_path / 'net.onnx', free=False)
    ours = open_net(tmp_path / 'net.onnx', CLASSES)
    frames = torch.rand(3, 3, 64, 96) * 255
    torch.testing.assert_close(ours.scores(frames), net(frames.flip(1)))


@torch.no_grad()
def test_states_of_a_graph_are_carried_over_propagated_frames(tmp_path):
    """By its second graph; its flow is that of the export."""
    model = SteadySegmentor(CallableNet(Pooled(), CLASSES), EMAFilter(0.3))
    flow = build_flow(dict(type='DISFlow', preset='ultrafast'), blur=3)
    path = tmp_path / 'steady.onnx'
    export_checked(model.eval(), path, CLASSES, PALETTE, flow, num_frames=0)
    net = open_net(path)
    assert net.make_flow().settings == flow.settings
    again = SteadySegmentor(net, EMAFilter(0.5)).eval()
    frame = torch.randint(256, (1, 3, 64, 96)).float()
    motion = torch.rand(1, 3, 32, 48) * 4
    motion[:, 2] = 0.5
    _, states = model.step(frame)
    _, want = model.propagate(states, motion, (64, 96))
    _, own = again.step(frame)
    _, got = again.propagate(own, motion, (64, 96))
    for i, part in enumerate(want['filter']):
        torch.testing.assert_close(got[f'net.filter.{i}'][0], part)
    with pytest.raises(ValueError, match=r'stride: .* leave it out'):
        open_net(path, stride=8)


def test_a_second_graph_that_reads_other_files_is_not_opened():
    graph = base64.b64encode(external_graph('secret')).decode()
    with pytest.raises(ValueError, match='reads other files'):
        propagation_graph(dict(propagation=graph), 'net.onnx')
    with pytest.raises(ValueError, match=r"'net\.onnx' is damaged"):
        propagation_graph(dict(propagation='?'), 'net.onnx')
