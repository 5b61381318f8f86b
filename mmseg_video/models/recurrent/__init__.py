from .conv_gru_cell import ConvGRUCell
from .conv_lstm_cell import ConvLSTMCell
from .conv_rnn import CONNECTIONS, ConvRNN
from .recurrent_cell import RecurrentCell, State

__all__ = [
    'CONNECTIONS',
    'ConvGRUCell',
    'ConvLSTMCell',
    'ConvRNN',
    'RecurrentCell',
    'State',
]
