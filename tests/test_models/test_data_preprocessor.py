import pytest
import torch
from mmseg.models.data_preprocessor import SegDataPreProcessor

from mmseg_video.models import ClipDataPreProcessor, KeyFrameDataPreProcessor
from tests.models import samples

SETTINGS = dict(
    mean=[120.0, 110.0, 100.0],
    std=[50.0, 60.0, 70.0],
    bgr_to_rgb=True,
    size=(40, 48),
)


@pytest.mark.parametrize('num_frames', [1, 3, 5])
@pytest.mark.parametrize('training', [True, False])
def test_equals_mmseg_frame_by_frame(num_frames, training):
    settings = SETTINGS if training else {**SETTINGS, 'size': None}
    clips = torch.randint(256, (2, num_frames, 3, 32, 40), dtype=torch.uint8)
    keys = samples(2, (32, 40))
    labels = [s.gt_sem_seg.data.clone() for s in keys]
    out = ClipDataPreProcessor(**settings)(
        dict(inputs=list(clips), data_samples=keys), training
    )
    reference = SegDataPreProcessor(**settings)
    for t in range(num_frames):
        want = reference(
            dict(inputs=list(clips[:, t]), data_samples=samples(2, (32, 40))),
            training,
        )
        assert torch.equal(out['inputs'][:, t], want['inputs'])
    assert len(out['data_samples']) == 2
    for sample, label in zip(out['data_samples'], labels, strict=True):
        padded = sample.gt_sem_seg.data
        # Padded once, whatever T is.
        assert padded.shape[1:] == ((40, 48) if training else (32, 40))
        assert torch.equal(padded[:, :32, :40], label)


def test_key_frame_preprocessor_takes_the_last_frame():
    clips = torch.randint(256, (2, 3, 3, 32, 40), dtype=torch.uint8)
    got = KeyFrameDataPreProcessor(mean=[0.0] * 3, std=[1.0] * 3)(
        dict(inputs=list(clips))
    )
    assert torch.equal(got['inputs'], clips[:, -1].float())


def test_stills_are_clips_of_one_frame():
    stills = torch.randint(256, (2, 3, 32, 40), dtype=torch.uint8)
    got = ClipDataPreProcessor()(dict(inputs=list(stills)))
    assert torch.equal(got['inputs'], stills[:, None].float())


def test_clips_of_different_length_are_refused():
    clips = [torch.zeros(t, 3, 8, 8, dtype=torch.uint8) for t in (2, 3)]
    with pytest.raises(ValueError, match=r'\[2, 3\] frames'):
        ClipDataPreProcessor()(dict(inputs=clips))
