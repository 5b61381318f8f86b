"""How the inputs and outputs of an exported step are called."""

from collections.abc import Mapping

FRAME, FLOW = 'frame', 'flow'
# The metadata of a graph for frames of one size: [height, width].
SIZE = 'size'


def names_of_states(state_maps: Mapping[str, int]) -> list[str]:
    """A name for each map: the place, with a number where it has several."""
    return [
        place if num_maps == 1 else f'{place}.{i}'
        for place, num_maps in state_maps.items()
        for i in range(num_maps)
    ]


def next_name(state: str) -> str:
    """The output that is the input ``state`` of the next frame."""
    return f'next.{state}'
