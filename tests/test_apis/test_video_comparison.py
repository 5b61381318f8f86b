"""Two models on one video: what is drawn, and how much they flicker."""

import cv2
import numpy as np
import pytest

from mmseg_video.apis import FrameSource, compare_video
from mmseg_video.apis.video_seg_inferencer import Prediction
from mmseg_video.evaluation.flicker import StreamFlicker

PALETTE = [[128, 64, 128], [0, 0, 142]]


class Model:
    """Says class 1 where the frame is brighter than a threshold."""

    classes, palette = ('dark', 'bright'), PALETTE

    def __init__(self, threshold):
        self.threshold, self.seen, self.ended = threshold, [], []

    def predict_frame(self, frame, stream_id):
        self.seen.append(stream_id)
        label = (frame.mean(-1) > self.threshold).astype(np.uint8)
        return Prediction(frame, label, PALETTE)

    def reset(self, stream_id):
        self.ended.append(stream_id)


@pytest.fixture
def frames():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (80, 160, 3), np.uint8)
    frame = cv2.GaussianBlur(noise, None, 3)
    return [np.roll(frame, 2 * t, axis=1) for t in range(4)]


def source(frames):
    return FrameSource(iter([(frame, None) for frame in frames]), 10)


def test_what_never_changes_does_not_flicker(frames, tmp_path):
    models = dict(framewise=Model(128), recurrent=Model(300))
    told = []
    comparison = compare_video(
        source(frames), models, str(tmp_path / 'out.webm'), 160, told.append
    )
    assert told == [1, 2, 3, 4]
    assert comparison.num_frames == 4
    assert comparison.flicker['recurrent'] == [0.0] * 3
    raw = comparison.flicker['framewise']
    along = comparison.flicker_compensated['framewise']
    # The scene moves, and its prediction with it.
    assert len(raw) == len(along) == 3
    assert min(raw) > 5
    assert max(along) < min(raw) / 2
    first, second = (Model(128).predict_frame(f, 0).label for f in frames[:2])
    assert raw[0] == 100 * (first != second).mean()
    flicker = StreamFlicker()
    assert flicker.next(frames[0], dict(m=first)) == {}
    change = flicker.next(frames[1], dict(m=second))['m']
    assert along[0] == 100 * change.flicker


def test_each_model_sees_one_stream_and_forgets_it(frames, tmp_path):
    model, other = Model(128), Model(64)
    for name in ('a.webm', 'b.webm'):
        compare_video(
            *(source(frames), dict(m=model, n=other)), str(tmp_path / name)
        )
    first, second = model.seen[:4], model.seen[4:]
    assert len(set(first)) == len(set(second)) == 1
    assert first[0] is not second[0]
    assert model.ended == [first[0], second[0]]


def test_the_video_has_every_frame_and_every_panel(frames, tmp_path):
    models = dict(framewise=Model(128), recurrent=Model(100))
    out = tmp_path / 'out.webm'
    compare_video(source(frames), models, str(out), panel_width=160)
    video = cv2.VideoCapture(str(out))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 4
    assert video.get(cv2.CAP_PROP_FRAME_WIDTH) == 3 * 160 + 2 * 4


def test_models_of_other_classes_are_refused(frames, tmp_path):
    other = Model(128)
    other.classes = ('night', 'day')
    with pytest.raises(ValueError, match='different classes'):
        compare_video(
            source(frames),
            dict(a=Model(128), b=other),
            str(tmp_path / 'out.webm'),
        )
    assert not list(tmp_path.iterdir())
