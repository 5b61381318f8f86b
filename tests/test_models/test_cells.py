import pytest
import torch
import torch.nn.functional as F

from mmseg_video.models import ConvGRUCell, ConvLSTMCell

CELLS = [ConvGRUCell, ConvLSTMCell]


def conv(x, weight, bias=None):
    return F.conv2d(x, weight, bias, padding=1)


def test_gru_follows_its_equations():
    cell = ConvGRUCell(3, 4)
    x, h = torch.randn(2, 3, 6, 5), torch.randn(2, 4, 6, 5)
    w_z, w_r, w_c = cell.input_conv.weight.chunk(3)
    b_z, b_r, b_c = cell.input_conv.bias.chunk(3)
    u_z, u_r = cell.gate_hidden_conv.weight.chunk(2)
    u_c = cell.candidate_hidden_conv.weight
    z = torch.sigmoid(conv(x, w_z, b_z) + conv(h, u_z))
    r = torch.sigmoid(conv(x, w_r, b_r) + conv(h, u_r))
    c = torch.tanh(conv(x, w_c, b_c) + conv(r * h, u_c))
    torch.testing.assert_close(cell(x, (h,))[0], (1 - z) * h + z * c)


def test_lstm_follows_its_equations():
    cell = ConvLSTMCell(3, 4)
    x, h, c = (torch.randn(2, n, 6, 5) for n in (3, 4, 4))
    w, b = cell.input_conv.weight.chunk(4), cell.input_conv.bias.chunk(4)
    u = cell.hidden_conv.weight.chunk(4)
    i, f, o, g = (
        conv(x, w[k], b[k]) + conv(h, u[k])
        for k in range(4)  # in this order
    )
    new_c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    new_h = torch.sigmoid(o) * torch.tanh(new_c)
    got_h, got_c = cell(x, (h, c))
    torch.testing.assert_close(got_c, new_c)
    torch.testing.assert_close(got_h, new_h)


def test_lstm_remembers_at_first():
    cell = ConvLSTMCell(3, 4)
    assert (cell.input_conv.bias[4:8] == 1).all()


@pytest.mark.parametrize('depthwise', [False, True])
@pytest.mark.parametrize('cell_type', CELLS)
def test_no_state_is_the_zero_state(cell_type, depthwise):
    cell = cell_type(3, 4, depthwise=depthwise)
    x = torch.randn(2, 3, 6, 5)
    start = cell(x)
    zeros = tuple(torch.zeros_like(part) for part in start)
    for got, want in zip(start, cell(x, zeros), strict=True):
        torch.testing.assert_close(got, want)


@pytest.mark.parametrize('cell_type', CELLS)
def test_state_of_another_size_is_refused(cell_type):
    cell = cell_type(3, 4)
    state = cell(torch.randn(1, 3, 6, 5))
    with pytest.raises(ValueError, match=r'\(6, 5\).*reset_states'):
        cell(torch.randn(1, 3, 8, 5), state)
    with pytest.raises(ValueError, match=r'1 stream.*2'):
        cell(torch.randn(2, 3, 6, 5), state)


def test_even_kernel_is_refused():
    with pytest.raises(ValueError, match='odd'):
        ConvGRUCell(3, 4, kernel_size=2)
