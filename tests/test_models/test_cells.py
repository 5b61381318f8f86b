import pytest
import torch
import torch.nn.functional as F

from mmseg_video.models import (
    ConvGRUCell,
    ConvLSTMCell,
    DRUCell,
    ElmanCell,
    EMAFilter,
    GatedEMACell,
    SRUCell,
)
from mmseg_video.models.recurrent import CONVS

CELLS = [ElmanCell, ConvGRUCell, ConvLSTMCell]


def conv(x, weight, bias=None):
    return F.conv2d(x, weight, bias, padding=1)


def test_elman_follows_its_equation():
    cell = ElmanCell(3, 4)
    x, h = torch.randn(2, 3, 6, 5), torch.randn(2, 4, 6, 5)
    w, b = cell.input_conv.weight, cell.input_conv.bias
    u = cell.hidden_conv.weight
    want = torch.tanh(conv(x, w, b) + conv(h, u))
    torch.testing.assert_close(cell(x, (h,))[0], want)


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


def twice(x, convs):
    """F of Wang et al.: twice a convolution, group norm and ReLU."""
    for module in convs:
        x = conv(x, module.conv.weight, module.conv.bias)
        x = F.group_norm(x, 8, module.gn.weight, module.gn.bias).relu()
    return x


@pytest.mark.parametrize('cell_type', [SRUCell, DRUCell])
def test_refinement_cells_follow_their_equations(cell_type):
    cell = cell_type(8, 16)
    for parameter in cell.parameters():  # group norm's too
        torch.nn.init.normal_(parameter, std=0.3)
    e, h = torch.randn(2, 8, 6, 5), torch.randn(2, 16, 6, 5)
    z = torch.sigmoid(twice(e, cell.update_convs))
    r = 1
    if cell_type is DRUCell:
        r = torch.sigmoid(twice(e, cell.reset_convs))
    c = torch.tanh(twice(r * e, cell.candidate_convs))
    state = cell(e, (h - 1,))
    torch.testing.assert_close(cell.hidden(state), (1 - z) * h + z * c)
    # A sequence begins with ones, which zeros stand for.
    for start in (cell(e), cell(e, (torch.zeros_like(h),))):
        torch.testing.assert_close(cell.hidden(start), (1 - z) + z * c)


def test_a_refinement_cell_with_hand_set_weights():
    """All convolutions zero: gates and candidate are group norm's biases."""
    cell = DRUCell(8, 8)
    for name, parameter in cell.named_parameters():
        torch.nn.init.constant_(parameter, 0)
        if name.endswith('1.gn.bias'):
            value = 2.0 if 'update' in name else 0.5
            torch.nn.init.constant_(parameter, value)
    h = cell.hidden(cell(torch.randn(1, 8, 4, 4)))
    z, c = 1 / (1 + 2.718281828**-2), 0.46211716  # sigmoid(2), tanh(0.5)
    torch.testing.assert_close(h, torch.full_like(h, 1 - z + z * c))


def test_gated_ema_follows_its_equations():
    cell = GatedEMACell(3, 3, gate_channels=4)
    torch.nn.init.normal_(cell.keep_conv.weight)
    x, s, n = torch.randn(2, 3, 6, 5), torch.randn(2, 3, 6, 5), 2.5
    w, b = cell.input_conv.weight, cell.input_conv.bias
    a = conv(x, w, b) + conv(s / n, cell.hidden_conv.weight)
    k = conv(a.relu(), cell.keep_conv.weight, cell.keep_conv.bias).sigmoid()
    assert k.std() > 0.01  # not the same everywhere
    count = torch.full((2, 1, 6, 5), n)
    new = cell(x, (s, count))
    torch.testing.assert_close(new[0], k * s + x)
    torch.testing.assert_close(new[1], k * count + 1)
    torch.testing.assert_close(cell.hidden(new), (k * s + x) / (k * n + 1))


def test_gated_ema_begins_as_an_exponential_one():
    cell, filter = GatedEMACell(5, 5, keep=0.3), EMAFilter(0.7)
    ours = theirs = None
    for x in torch.randn(4, 2, 5, 6, 7):
        ours = cell(x, ours)
        want, theirs = filter(x, theirs)
        torch.testing.assert_close(cell.hidden(ours), want)
    zeros = cell.zero_state(cell.project(x))
    torch.testing.assert_close(cell.hidden(cell(x, zeros)), x)


def test_gated_ema_sums_in_full_precision():
    cell, state = GatedEMACell(3, 3).bfloat16(), None
    for x in torch.randn(2, 1, 3, 6, 5).bfloat16():
        state = cell(x, state)
        assert [part.dtype for part in state] == [torch.float32] * 2


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(hidden_channels=2), 'got 2 of 4 channels, set hidden_ratio=1.0'),
        (dict(keep=1.0), r'keep must lie in \(0, 1\), got 1.0'),
        (dict(gate_channels=0), 'gate_channels must be at least 1, got 0'),
    ],
)
def test_what_a_gated_ema_cannot_do(arguments, message):
    with pytest.raises(ValueError, match=message):
        GatedEMACell(4, **(dict(hidden_channels=4) | arguments))


def test_channels_that_the_groups_do_not_divide():
    with pytest.raises(ValueError, match='num_groups=8 must divide'):
        SRUCell(8, 12)


@pytest.mark.parametrize('conv', CONVS)
def test_lstm_remembers_at_first(conv):
    cell = ConvLSTMCell(3, 4, conv=conv)
    zeros = torch.zeros(1, 3, 6, 5), torch.zeros(1, 4, 6, 5)
    _, forget, _, _ = cell.project(zeros[0]).chunk(4, dim=1)
    assert (forget == 1).all()


def test_spatial_gates_are_rows_then_columns():
    cell = ConvLSTMCell(3, 4, kernel_size=5, conv='spatial')
    x = torch.randn(2, 3, 9, 8)
    rows, columns = cell.input_conv
    want = []
    for gate in range(4):
        of = slice(4 * gate, 4 * gate + 4)
        row = F.conv2d(x, rows.weight[of], padding=(0, 2))
        want.append(
            F.conv2d(row, columns.weight[of], columns.bias[of], padding=(2, 0))
        )
    torch.testing.assert_close(cell.project(x), torch.cat(want, 1))


def test_separable_gates_are_smaller():
    sizes = {
        conv: sum(
            p.numel() for p in ConvLSTMCell(16, 16, 3, conv).parameters()
        )
        for conv in CONVS
    }
    # G gates of r channels from C = r: k * k, k + k, and shared k * k + 1.
    r, gates = 16, 4
    bias = gates * r
    assert sizes['standard'] == 2 * gates * r * r * 9 + bias
    assert sizes['spatial'] == 2 * gates * r * r * 6 + bias
    assert sizes['depthwise'] == 2 * (9 * r + gates * r * r) + bias


@pytest.mark.parametrize('conv', CONVS)
@pytest.mark.parametrize('cell_type', CELLS)
def test_no_state_is_the_zero_state(cell_type, conv):
    cell = cell_type(3, 4, conv=conv)
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


@pytest.mark.parametrize('size', [2, -1, '3', 3.0])
def test_a_kernel_that_is_not_odd_is_refused(size):
    with pytest.raises(ValueError, match='odd'):
        ConvGRUCell(3, 4, kernel_size=size)


def test_unknown_conv_lists_the_known():
    with pytest.raises(ValueError, match='standard, spatial, depthwise'):
        ConvGRUCell(3, 4, conv='separable')
