import torch
from mmengine import Config

from mmseg_video.experiments.costs import (
    Costs,
    build,
    multiply_adds,
    num_parameters,
    streamer,
)
from tests.runs import CONFIGS, leaf


def test_a_streamed_frame_pays_for_every_convolution_of_the_cells():
    size = (64, 128)
    baseline = multiply_adds(str(CONFIGS / 'unet_street.py'), size)
    ours = multiply_adds(
        str(CONFIGS / 'rnn_unet/rnn_unet_joint_street.py'), size
    )
    expected = 0
    for level, channels in enumerate((32, 64, 128, 256)):
        r = channels // 4
        pixels = (64 >> level + 2) * (128 >> level + 2)
        gru = 9 * r * 3 * r * 2  # z, r, c from x, and from h
        expected += pixels * (channels * r + gru + r * channels)
    assert ours - baseline == expected


def test_latencies_of_another_number_of_threads_are_named(
    tmp_path, monkeypatch
):
    def get(threads):
        with monkeypatch.context() as here:
            here.setattr(torch, 'get_num_threads', lambda: threads)
            return costs.get(ours, base)

    def measure(threads, seconds):
        with monkeypatch.context() as here:
            here.setattr(torch, 'get_num_threads', lambda: threads)
            here.setattr(Costs, '_count', lambda *_: dict(parameters=1))
            here.setattr(Costs, '_time', lambda *_: seconds)
            costs.measure(ours, base)

    ours, base = (
        Config(dict(model=dict(type=name))) for name in ('ours', 'base')
    )
    costs = Costs(tmp_path, (64, 128), torch.device('cpu'))
    assert get(2) == {}
    measure(2, dict(model=0.5, baseline=0.25))
    found = dict(latency_ms=500.0, latency_on='CPU, 2 threads', ratio=2.0)
    assert get(2) == get(1) == dict(parameters=1, **found)
    measure(1, dict(model=0.75, baseline=0.5))
    assert get(1)['latency_on'] == 'CPU, 1 threads'
    assert (get(1)['ratio'], get(2)['ratio']) == (1.5, 2.0)
    # Of another pair nothing is known.
    assert costs.get(ours, ours) == costs.get(ours) == dict(parameters=1)


def test_a_model_that_looks_at_values_is_counted_too(tmp_path):
    module = tmp_path / 'looks_at_values.py'
    module.write_text(
        'from mmseg.models.decode_heads import FCNHead\n'
        'from mmseg.registry import MODELS\n\n\n'
        '@MODELS.register_module(force=True)\n'
        'class Looks(FCNHead):\n'
        '    def forward(self, inputs):\n'
        '        assert inputs[0].sum().item() == inputs[0].sum().item()\n'
        '        return super().forward(inputs)\n'
    )
    head = dict(type='FCNHead', in_channels=256, channels=8, num_classes=19)
    counts = []
    for kind in ('FCNHead', 'Looks'):
        path = tmp_path / f'{kind}.py'
        path.write_text(
            f'_base_ = {str(CONFIGS / "unet_street.py")!r}\n'
            'import sys\n'
            f'sys.path.insert(0, {str(tmp_path)!r})\n'
            "custom_imports = dict(imports=['looks_at_values'])\n"
            f'head = {dict(head, type=kind)}\n'
            'model = dict(decode_head=dict(_delete_=True, **head))\n'
        )
        counts.append(multiply_adds(str(path), (64, 128)))
    assert counts[0] == counts[1] > 0


def test_a_discriminator_is_no_part_of_what_is_run():
    adversarial = leaf('rnn_unet_adversarial_cityscapes')
    sizes = [
        num_parameters(build(str(path), 'meta'))
        for path in (
            adversarial,
            CONFIGS / 'rnn_unet/rnn_unet_joint_cityscapes.py',
        )
    ]
    assert sizes[0] == sizes[1]


def test_a_flow_compensated_model_streams_and_costs_what_its_net_does():
    plain, flow = (
        build(str(leaf(f'rnn_unet_gated_ema{name}_street')), 'cpu')
        for name in ('_only', '_flow')
    )
    assert flow.flow_compensated
    assert num_parameters(flow) == num_parameters(plain)
    predict = streamer(flow, torch.zeros(1, 3, 64, 128))
    for _ in range(3):
        predict()
    size = (64, 128)
    assert multiply_adds(
        str(leaf('rnn_unet_gated_ema_flow_street')), size
    ) == multiply_adds(str(leaf('rnn_unet_gated_ema_only_street')), size)
