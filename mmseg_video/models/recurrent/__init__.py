from .conv_gru_cell import ConvGRUCell
from .conv_lstm_cell import ConvLSTMCell
from .conv_rnn import CONNECTIONS, ConvRNN
from .elman_cell import ElmanCell
from .gated_ema_cell import GatedEMACell
from .recurrent_cell import (
    CONVS,
    RecurrentCell,
    State,
    build_cell,
    fit_state,
)
from .refinement_cells import DRUCell, SRUCell

__all__ = [
    'CONNECTIONS',
    'CONVS',
    'ConvGRUCell',
    'ConvLSTMCell',
    'ConvRNN',
    'DRUCell',
    'ElmanCell',
    'GatedEMACell',
    'RecurrentCell',
    'SRUCell',
    'State',
    'build_cell',
    'fit_state',
]
