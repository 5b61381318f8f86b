from .conv_elman_cell import ConvElmanCell
from .conv_gru_cell import ConvGRUCell
from .conv_lstm_cell import ConvLSTMCell
from .conv_rnn import CONNECTIONS, ConvRNN
from .gated_average_cell import GatedAverageCell
from .recurrent_cell import CONVS, RecurrentCell, State, build_cell
from .refinement_cells import DRUCell, SRUCell

__all__ = [
    'CONNECTIONS',
    'CONVS',
    'ConvElmanCell',
    'ConvGRUCell',
    'ConvLSTMCell',
    'ConvRNN',
    'DRUCell',
    'GatedAverageCell',
    'RecurrentCell',
    'SRUCell',
    'State',
    'build_cell',
]
