from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

from mmengine.logging import print_log

from ..flow.full_frames import Pace
from ..flow.usable_frames import Sight
from .states import States, join, keep_finite


@dataclass(frozen=True)
class FrameInfo:
    """What is known of a frame before it is predicted.

    What is None is not known, and continues anything.

    Args:
        size (tuple[int, int]): Height and width.
        dtype (Any): Of its pixels. Defaults to None.
        sequence (str | None): The video that it belongs to. Defaults to None.
        frame_id (int | None): Its number in the video. Defaults to None.
        max_gap (int | None): The longest step from one number to the next
            within a sequence. Defaults to None, any.
    """

    size: tuple[int, int]
    dtype: Any = None
    sequence: str | None = None
    frame_id: int | None = None
    max_gap: int | None = None

    def begins_anew(self, before: 'FrameInfo') -> str | None:
        """Why this frame does not continue the one before; None if it does."""
        if _differ(self.sequence, before.sequence):
            return f"the sequence is '{self.sequence}'"
        if self.size != before.size:
            return f'the frames change from {before.size} to {self.size}'
        if _differ(self.dtype, before.dtype):
            return f'the pixels change from {before.dtype} to {self.dtype}'
        if None not in (self.frame_id, before.frame_id):
            step = self.frame_id - before.frame_id
            if step < 1 or (self.max_gap and step > self.max_gap):
                return f'frame {self.frame_id} follows {before.frame_id}'
        return None


@dataclass
class Stream:
    """Where a stream is.

    Args:
        info (FrameInfo): Of its last frame.
        states (dict[str, State] | None): After it.
        image (Any): What its next flow is estimated from. Defaults to None.
        pace (Pace | None): Whether its last frame was a full one. Defaults to
            None, it was.
        sight (Sight | None): What it has seen. Defaults to None, frames that
            are all usable.
        answer (Any): What the last usable frame was answered with, where it
            is to be held. Defaults to None.
    """

    info: FrameInfo
    states: States | None
    image: Any = None
    pace: Pace | None = None
    sight: Sight | None = None
    answer: Any = None

    @property
    def can_hold(self) -> bool:
        """Whether there is an answer to hold, of states that are good."""
        return self.answer is not None and self.states is not None


class Streams:
    """The states of streams, each under an id of its own.

    One rule says where a stream begins anew: another sequence, another size
    or type of frames, or a gap in their numbers
    (:meth:`FrameInfo.begins_anew`). A step is all or nothing: whatever fails
    between :meth:`continued` and :meth:`commit`, no stream has moved::

        before = streams.continued(infos)                    # id -> Stream
        logits, after = model.step(frames, states_of(before), flow)
        streams.commit(infos, before, split(after, len(infos)))

    Args:
        max_streams (int | None): How many are kept; of more, those that were
            used longest ago are dropped, so that ids that are never reset do
            not add up. Defaults to None, all.

    Raises:
        ValueError: If ``max_streams`` is below 1.
    """

    def __init__(self, max_streams: int | None = None):
        number = max_streams is None or isinstance(max_streams, Integral)
        if not number or (max_streams is not None and max_streams < 1):
            raise ValueError(f'max_streams must be >= 1, got {max_streams!r}')
        self.max_streams = max_streams
        self._streams: dict[Hashable, Stream] = {}

    def __len__(self) -> int:
        return len(self._streams)

    def __getitem__(self, stream_id: Hashable) -> Stream:
        return self._streams[stream_id]

    def reset(self, stream_id: Hashable | None = None) -> None:
        """Forget all streams, or one: its next frame begins a sequence."""
        if stream_id is None:
            self._streams.clear()
        else:
            self._streams.pop(stream_id, None)

    def continued(
        self, infos: dict[Hashable, FrameInfo]
    ) -> dict[Hashable, Stream | None]:
        """The streams that these frames continue, None where one begins.

        Args:
            infos (dict): Stream id -> its next frame.

        Raises:
            ValueError: If these are more streams than are kept.
        """
        if self.max_streams and len(infos) > self.max_streams:
            raise ValueError(
                f'{len(infos)} streams at once, but only {self.max_streams} '
                'are kept: raise max_streams'
            )
        before = {}
        for stream_id, info in infos.items():
            stream = self._streams.get(stream_id)
            why = info.begins_anew(stream.info) if stream else None
            if why and info.sequence == stream.info.sequence:
                print_log(
                    f'stream {stream_id!r}: {why}: a new sequence begins',
                    logger='current',
                )
            before[stream_id] = None if why else stream
        return before

    def commit(
        self,
        infos: dict[Hashable, FrameInfo],
        before: dict[Hashable, Stream | None],
        states: Sequence[States],
        images: dict[Hashable, Any] | None = None,
        paces: dict[Hashable, Pace] | None = None,
        sights: dict[Hashable, Sight] | None = None,
        answers: dict[Hashable, Any] | None = None,
    ) -> None:
        """Move the streams on; states that are not finite are not taken.

        Args:
            infos (dict): As :meth:`continued` got it.
            before (dict): As :meth:`continued` gave it.
            states (Sequence[dict]): After the frames, one for each stream.
            images (dict | None): Stream id -> what its next flow is estimated
                from. Defaults to None.
            paces (dict | None): Stream id -> whether the net ran. Defaults to
                None, on all.
            sights (dict | None): Stream id -> what it has seen. Defaults to
                None, frames that are all usable.
            answers (dict | None): Stream id -> what to show again on frames
                that are not. Defaults to None, nothing.
        """
        for (stream_id, info), after in zip(
            infos.items(), states, strict=True
        ):
            last, image = before[stream_id], (images or {}).get(stream_id)
            pace = (paces or {}).get(stream_id, Pace())
            kept = keep_finite(after, last.states if last else None)
            if kept is not after:
                # What those states belong to; without any, a full frame is
                # due.
                image = last and last.image
                pace = last and last.pace
            self._streams.pop(stream_id, None)  # the latest stands last
            self._streams[stream_id] = Stream(
                *(info, kept, image, pace),
                *((of or {}).get(stream_id) for of in (sights, answers)),
            )
        while self.max_streams and len(self._streams) > self.max_streams:
            dropped = next(iter(self._streams))
            del self._streams[dropped]
            print_log(
                f'stream {dropped!r} is dropped: more than '
                f'{self.max_streams} are under way, and it waited longest',
                logger='current',
            )


def _differ(one, other) -> bool:
    return None not in (one, other) and one != other


def states_of(streams: dict[Hashable, Stream | None]) -> States | None:
    """The states of a batch of streams, as a segmentor takes them."""
    return join([stream and stream.states for stream in streams.values()])
