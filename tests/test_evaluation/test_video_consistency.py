import numpy as np
import pytest
from mmseg.registry import METRICS

from .videos import feed, result

H, W = 6, 8


def vc(**kwargs):
    return METRICS.build(dict(type='VideoConsistencyMetric', **kwargs))


def video(num_frames, seed, change=0.1):
    """Labels (H, W) that mostly stay, with some ignored pixels."""
    rng = np.random.default_rng(seed)
    frames = [rng.integers(0, 3, (H, W), np.uint8)]
    for _ in range(num_frames - 1):
        new = rng.integers(0, 3, (H, W), np.uint8)
        frames.append(np.where(rng.random((H, W)) < change, new, frames[-1]))
    ignored = rng.random((H, W)) < 0.1
    return [np.where(ignored, 255, f).astype(np.uint8) for f in frames]


def by_hand(videos, n):
    """VC_n, pixel by pixel; and as VSPW's code counts it."""
    ours, theirs = [], []
    for true, guessed in videos:
        for start in range(len(true) - n + 1):
            stays = right = code_stays = code_same = 0
            for y in range(H):
                for x in range(W):
                    t = [f[y, x] for f in true[start : start + n]]
                    p = [f[y, x] for f in guessed[start : start + n]]
                    if len(set(t)) > 1:
                        continue
                    code_stays += 1
                    code_same += len(set(p)) == 1
                    if t[0] != 255:
                        stays += 1
                        right += t == p
            if stays:
                ours.append(right / stays)
            if start < len(true) - n:
                theirs.append(code_same / code_stays)
    return 100 * np.mean(ours), 100 * np.mean(theirs)


def frames(num):
    return [np.zeros((H, W, 3), np.uint8)] * num


def test_agrees_with_counting_by_hand():
    metric = vc(lengths=[4, 2])
    videos = []
    for seed, length in ((0, 9), (1, 5), (2, 4), (3, 1)):
        true = video(length, seed)
        guessed = [np.minimum(f, 2) for f in video(length, seed, 0.12)]
        videos.append((true, guessed))
        feed(metric, frames(length), guessed, true, sequence=f'video {seed}')
    got = result(metric)
    for n in (2, 4):
        ours, theirs = by_hand(videos, n)
        assert got[f'VC{n}'] == pytest.approx(ours, abs=0.01)
        assert got[f'VC{n}_VSPW_code'] == pytest.approx(theirs, abs=0.01)


def test_right_and_merely_constant_are_told_apart():
    true = [np.zeros((H, W), np.uint8)] * 6
    wrong = [np.ones((H, W), np.uint8)] * 6
    metric = vc(lengths=[4])
    feed(metric, frames(6), wrong, true)
    assert result(metric) == {'VC4': 0, 'VC4_VSPW_code': 100}
    metric = vc(lengths=[4])
    feed(metric, frames(6), true, true)
    assert result(metric)['VC4'] == 100


def test_eight_and_sixteen_by_default():
    true = video(17, 0, change=0.01)
    metric = vc()
    feed(metric, frames(17), [np.minimum(t, 2) for t in true], true)
    assert set(result(metric)) == {
        *('VC8', 'VC8_VSPW_code', 'VC16', 'VC16_VSPW_code')
    }


def test_what_is_left_out_is_said(monkeypatch):
    true = video(9, 0)
    metric, said = vc(), []
    monkeypatch.setattr(
        'mmseg_video.evaluation.video_consistency.print_log',
        lambda text, *_: said.append(text),
    )
    feed(metric, frames(9), true, true)
    assert 'VC16' not in result(metric)
    assert said == ['VC16 is left out: no window of 16 frames to count']


def test_windows_do_not_reach_over_sequences():
    metric = vc(lengths=[4])
    for name in 'abc':
        true = video(3, 0)
        feed(metric, frames(3), true, true, sequence=name)
    with pytest.raises(ValueError, match='no sequence has 4 labelled frames'):
        result(metric)


def test_windows_do_not_reach_over_gaps():
    metric = vc(lengths=[3])
    true = video(3, 0)
    feed(metric, frames(3), true, true, max_gap=1)
    feed(metric, frames(2), true[:2], true[:2], first=9, max_gap=1)
    assert [r['frames'] for r in metric.results] == [5]
    assert metric.results[0]['VC3']['windows'] == 1


def test_frames_without_labels_are_an_error_or_give_no_figure():
    guessed = [np.zeros((H, W), np.uint8)] * 5
    none = [np.full((H, W), 255, np.uint8)] * 5
    for labels in (none, None):
        with pytest.raises(ValueError, match="frame 0 of 'a' has none"):
            feed(vc(lengths=[2]), frames(5), guessed, labels)
    metric = vc(lengths=[2], on_missing='skip')
    feed(metric, frames(5), guessed, guessed[:4] + none[:1])
    assert result(metric) == {}


@pytest.mark.parametrize('lengths', [[], [1], [0, 8]])
def test_bad_lengths(lengths):
    with pytest.raises(ValueError, match='numbers of frames >= 2'):
        vc(lengths=lengths)
