from mmseg_video.apis.structure import parts_of
from mmseg_video.experiments.costs import num_parameters
from tests.models import FRAMEWISE, RECURRENT, build

GATED = dict(
    conv_seg=dict(cell=dict(type='GatedEMACell'), connection='standard')
)


def test_parts_have_all_parameters_and_all_states():
    model = build(
        RECURRENT, head_rnns=GATED, filter=dict(type='EMAFilter', weight=0.5)
    )
    parts = {part.name: part for part in parts_of(model, (64, 128))}
    assert list(parts) == [
        *('backbone', 'neck.0.0', 'neck.0.1', 'neck.0.2', 'neck.0.3'),
        *('decode_head', 'conv_seg', 'filter'),
    ]
    assert sum(p.parameters for p in parts.values()) == num_parameters(model)
    stateful = {name for name, part in parts.items() if part.state}
    assert stateful == set(model.state_maps)
    # A sum of the logits and a count, float32, at the logits' size.
    (classes, height, width), count = parts['conv_seg'].state
    assert count == (1, height, width)
    assert parts['conv_seg'].state_bytes == 4 * (classes + 1) * height * width
    assert parts['neck.0.1'].kind == 'ConvGRUCell, residual'


def test_a_framewise_net_carries_nothing():
    parts = parts_of(build(FRAMEWISE), (64, 128))
    assert [part.name for part in parts] == ['backbone', 'decode_head']
    assert not any(part.state for part in parts)
