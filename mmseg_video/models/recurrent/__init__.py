from .conv_gru_cell import ConvGRUCell
from .conv_lstm_cell import ConvLSTMCell
from .conv_rnn import CONNECTIONS, ConvRNN
from .recurrent_cell import CONVS, RecurrentCell, State

__all__ = [
    'CONNECTIONS',
    'CONVS',
    'ConvGRUCell',
    'ConvLSTMCell',
    'ConvRNN',
    'RecurrentCell',
    'State',
]
