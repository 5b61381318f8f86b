"""The one engine that carries states: where streams begin, and all or
nothing."""

import pytest
import torch

from mmseg_video.flow.full_frames import FullFrames
from mmseg_video.models.states import join, split
from mmseg_video.models.streams import FrameInfo, Streams, states_of

SIZE = (4, 6)


def state(value):
    return {'a': (torch.full((1, 1, 2, 2), float(value)),)}


def value(stream):
    return stream.states['a'][0].unique().item()


def move(streams, infos, *values):
    before = streams.continued(infos)
    streams.commit(infos, before, [state(v) for v in values])
    return before


FIRST = dict(size=SIZE, dtype='uint8', sequence='v', frame_id=5, max_gap=2)


@pytest.mark.parametrize(
    ('change', 'goes_on'),
    [
        (dict(frame_id=6), True),
        (dict(frame_id=7), True),
        (dict(frame_id=8), False),
        (dict(frame_id=5), False),
        (dict(frame_id=1), False),
        (dict(frame_id=6, sequence='w'), False),
        (dict(frame_id=6, size=(6, 4)), False),
        (dict(frame_id=6, dtype='float32'), False),
        (dict(frame_id=99, max_gap=None), True),
        (dict(frame_id=None, sequence=None, dtype=None), True),
    ],
)
def test_one_rule_says_where_a_sequence_begins(change, goes_on):
    streams = Streams()
    move(streams, {'s': FrameInfo(**FIRST)}, 1)
    before = streams.continued({'s': FrameInfo(**{**FIRST, **change})})
    assert (before['s'] is not None) == goes_on


def test_streams_are_apart_and_nothing_moves_before_the_commit():
    streams = Streams()
    infos = {name: FrameInfo(SIZE) for name in 'ab'}
    move(streams, infos, 1, 2)
    before = streams.continued(infos)
    assert [value(s) for s in before.values()] == [1, 2]
    # Whatever fails here, the streams stand where they were.
    assert [value(streams[name]) for name in 'ab'] == [1, 2]
    move(streams, {'b': FrameInfo(SIZE)}, 3)
    assert [value(streams[name]) for name in 'ab'] == [1, 3]
    streams.reset('a')
    assert streams.continued(infos)['a'] is None
    assert len(streams) == 1
    streams.reset()
    assert len(streams) == 0


def test_the_streams_used_longest_ago_are_dropped():
    streams = Streams(max_streams=2)
    for name in ('a', 'b', 'a', 'c'):
        move(streams, {name: FrameInfo(SIZE)}, 0)
    assert len(streams) == 2
    assert streams.continued({'b': FrameInfo(SIZE)})['b'] is None
    assert streams.continued({'a': FrameInfo(SIZE)})['a'] is not None
    with pytest.raises(ValueError, match='max_streams must be >= 1'):
        Streams(max_streams=0)
    with pytest.raises(ValueError, match='3 streams at once, but only 2'):
        streams.continued({name: FrameInfo(SIZE) for name in 'abc'})


def test_states_that_are_not_finite_are_not_taken():
    streams = Streams()
    infos = {'s': FrameInfo(SIZE)}
    move(streams, infos, 1)
    streams['s'].image = 'of frame 0'
    before = streams.continued(infos)
    streams.commit(infos, before, [state(float('nan'))], {'s': 'of frame 1'})
    assert value(streams['s']) == 1
    # The next flow leads to the frame that these states belong to.
    assert streams['s'].image == 'of frame 0'


def test_a_batch_joins_states_and_zeros_and_splits_again():
    streams = Streams()
    move(streams, {'b': FrameInfo(SIZE)}, 2)
    infos = {name: FrameInfo(SIZE) for name in 'abc'}
    batch = states_of(streams.continued(infos))
    assert batch['a'][0].flatten(1).unique(dim=1).tolist() == [[0], [2], [0]]
    assert join([None, None]) is None
    parts = split({'a': (batch['a'][0].requires_grad_(),)}, 3)
    assert [p['a'][0].shape for p in parts] == [(1, 1, 2, 2)] * 3
    assert not any(p['a'][0].requires_grad for p in parts)
    # Not views, which would keep the whole batch in memory.
    assert parts[0]['a'][0].untyped_storage().nbytes() == 4 * 4


def test_a_stream_without_states_begins_with_a_full_frame():
    """Also where those after its first frame were not finite."""
    streams, infos = Streams(), {'s': FrameInfo(SIZE)}
    before = streams.continued(infos)
    streams.commit(infos, before, [state(float('nan'))], {'s': 'image'})
    (stream,) = streams.continued(infos).values()
    assert stream.states is None
    assert stream.image is None
    assert FullFrames(every=3).next(stream.pace, None).full
