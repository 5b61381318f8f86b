import pytest
import torch

from mmseg_video.models import ConvRNN, ConvRNNNeck
from mmseg_video.models.recurrent import CONNECTIONS

CELLS = [
    dict(type='ElmanCell'),
    dict(type='ElmanCell', conv='depthwise'),
    dict(type='ConvGRUCell'),
    dict(type='ConvGRUCell', conv='depthwise'),
    dict(type='ConvLSTMCell'),
    dict(type='ConvLSTMCell', conv='depthwise'),
    dict(type='DRUCell', num_groups=2),
    dict(type='SRUCell', num_groups=2),
]


@pytest.mark.parametrize('ratio', [1, 0.5])
@pytest.mark.parametrize('connection', CONNECTIONS)
@pytest.mark.parametrize('cell', CELLS, ids=str)
def test_chunking_is_invisible(cell, connection, ratio):
    rnn = ConvRNN(8, cell, connection, ratio)
    if connection == 'residual':
        torch.nn.init.normal_(rnn.proj.weight)
    clips = torch.randn(2, 5, 8, 6, 7)
    whole, end = rnn(clips)
    assert whole.shape == (2, 5, rnn.out_channels, 6, 7)
    first, state = rnn(clips[:, :2])
    rest, state = rnn(clips[:, 2:], state)
    torch.testing.assert_close(torch.cat([first, rest], 1), whole)
    for got, want in zip(state, end, strict=True):
        torch.testing.assert_close(got, want)
    key, _ = rnn(clips, frames=slice(-1, None))
    torch.testing.assert_close(key, whole[:, -1:])


def test_connections_are_what_the_table_says():
    clips = torch.randn(1, 3, 8, 6, 7)
    out = {}
    for connection in CONNECTIONS:
        torch.manual_seed(0)
        rnn = ConvRNN(8, connection=connection)
        out[connection], _ = rnn(clips)
        if connection == 'standard':
            hidden = out['standard']
    torch.testing.assert_close(out['dense'], torch.cat([clips, hidden], 2))
    assert torch.equal(out['residual'], clips)


def test_residual_adds_what_the_projection_makes_of_h():
    rnn = ConvRNN(8, connection='residual', hidden_ratio=0.5)
    torch.nn.init.normal_(rnn.proj.weight)
    clips = torch.randn(2, 3, 8, 6, 7)
    out, state = rnn(clips)
    want = clips[:, -1] + rnn.proj(rnn.cell.hidden(state))
    torch.testing.assert_close(out[:, -1], want)


def test_split_lets_the_first_channels_bypass():
    rnn = ConvRNN(8, connection='split', hidden_ratio=0.25)
    clips = torch.randn(2, 3, 8, 6, 7)
    out, state = rnn(clips)
    assert torch.equal(out[:, :, :6], clips[:, :, :6])
    # What is left is the cell's, run on the last channels.
    want = None
    for t in range(3):
        want = rnn.cell(clips[:, t, 6:], want)
        torch.testing.assert_close(out[:, t, 6:], want[0])
    assert torch.equal(state[0], out[:, -1, 6:])
    # No 1x1 convolution before or after it.
    assert [n for n, _ in rnn.named_parameters() if 'cell' not in n] == []


@pytest.mark.parametrize('connection', CONNECTIONS)
def test_reversing_time_changes_the_output(connection):
    rnn = ConvRNN(8, connection=connection)
    if connection == 'residual':
        torch.nn.init.normal_(rnn.proj.weight)
    clips = torch.randn(1, 4, 8, 6, 7)
    forth, _ = rnn(clips)
    back, _ = rnn(clips.flip(1))
    assert not torch.allclose(forth, back.flip(1))


@pytest.mark.parametrize('connection', CONNECTIONS)
@pytest.mark.parametrize('cell', CELLS, ids=str)
def test_every_parameter_and_frame_gets_a_gradient(cell, connection):
    rnn = ConvRNN(8, cell, connection, 0.5)
    if connection == 'residual':
        torch.nn.init.normal_(rnn.proj.weight)
    clips = torch.randn(1, 3, 8, 6, 7, requires_grad=True)
    out, _ = rnn(clips, frames=slice(-1, None))
    out.square().sum().backward()
    for name, parameter in rnn.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
    assert (clips.grad.flatten(2).abs().sum(2) > 0).all()


def test_unknown_connection_lists_the_known():
    with pytest.raises(ValueError, match='standard, dense, residual'):
        ConvRNN(8, connection='concat')


def test_unknown_cell_lists_the_known():
    with pytest.raises(ValueError, match='ConvGRUCell, ConvLSTMCell'):
        ConvRNN(8, dict(type='ConvGRU'))


def test_unknown_option_of_a_cell_lists_the_known():
    with pytest.raises(ValueError, match=r"ConvGRUCell has no .*'peephole'"):
        ConvRNN(8, dict(type='ConvGRUCell', peephole=True))
    with pytest.raises(ValueError, match='it has kernel_size, num_groups;'):
        ConvRNN(8, dict(type='DRUCell', conv='depthwise'))


@pytest.mark.parametrize('ratio', [0, -1, 1.5, 'half'])
def test_ratio_out_of_range(ratio):
    with pytest.raises(ValueError, match='hidden_ratio'):
        ConvRNN(8, hidden_ratio=ratio)


def test_neck_runs_the_chosen_levels_only():
    neck = ConvRNNNeck(
        [4, 8, 16], levels=[2, 0], connection='dense', hidden_ratio=1
    )
    assert neck.out_channels == [8, 8, 32]
    feats = [torch.randn(2, 3, c, s, s) for c, s in ((4, 8), (8, 4), (16, 2))]
    outs, states = neck(feats)
    assert [x.shape[2] for x in outs] == neck.out_channels
    assert torch.equal(outs[1], feats[1])
    assert {k: s[0].shape[1] for k, s in states.items()} == {'0': 4, '2': 16}
    again, _ = neck([x[:, -1:] for x in feats], states)
    assert not torch.allclose(again[0], outs[0][:, -1:])


@pytest.mark.parametrize('levels', [[3], [-1], [], [0, 0], ['2'], 2, 'all'])
def test_unknown_level_lists_the_known(levels):
    with pytest.raises(ValueError, match=r'\[0, 1, 2\]'):
        ConvRNNNeck([4, 8, 16], levels=levels)


def test_pyramid_that_does_not_fit_is_refused():
    neck = ConvRNNNeck([4, 8])
    with pytest.raises(ValueError, match=r'1 levels .* have \[4\]'):
        neck([torch.randn(1, 1, 4, 8, 8)])
    with pytest.raises(ValueError, match=r'\[4, 8\] .* have \[5, 8\]'):
        neck([torch.randn(1, 1, 5, 8, 8), torch.randn(1, 1, 8, 4, 4)])
    with pytest.raises(ValueError, match=r'\(N, T, 4, h, w\)'):
        ConvRNN(4)(torch.randn(1, 1, 5, 8, 8))
    with pytest.raises(ValueError, match='every level'):
        ConvRNNNeck(8)


@pytest.mark.parametrize('cell', CELLS, ids=str)
def test_a_single_frame_trains_every_parameter(cell):
    """DDP waits for the gradients of all; and the result is the same."""
    rnn = ConvRNN(4, cell, connection='standard')
    clip = torch.randn(2, 1, 4, 6, 6)
    out, _ = rnn(clip)
    out.sum().backward()
    assert all(p.grad is not None for p in rnn.parameters())
    with torch.no_grad():
        torch.testing.assert_close(rnn.eval()(clip)[0], out)
