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


@pytest.mark.parametrize(
    'memory_format', ['contiguous_format', 'channels_last']
)
@pytest.mark.parametrize('training', [True, False])
def test_frames_that_lie_channels_last(memory_format, training):
    """As ClipAugment gives them: the values are mmseg's, the batch lies as it
    is asked to, and the frames are left as they are."""
    clips = torch.randint(256, (2, 3, 24, 40, 3), dtype=torch.uint8)
    clips = clips.permute(0, 1, 4, 2, 3)
    before = clips.clone()
    settings = dict(SETTINGS, size=None, pad_val=7)
    settings |= (
        dict(size_divisor=32)
        if training
        else dict(test_cfg=dict(size=(32, 64)))
    )
    got = ClipDataPreProcessor(**settings, memory_format=memory_format)(
        dict(inputs=list(clips), data_samples=samples(2, (24, 40))), training
    )['inputs']
    for t in range(3):
        want = SegDataPreProcessor(**settings)(
            dict(inputs=list(clips[:, t]), data_samples=samples(2, (24, 40))),
            training,
        )['inputs']
        assert torch.equal(got[:, t], want)
    frames = got.flatten(0, 1)
    assert frames.is_contiguous(memory_format=getattr(torch, memory_format))
    assert torch.equal(clips, before)


def test_batches_of_several_sizes_are_padded_in_training():
    sizes = (24, 40), (32, 24)
    clips = [torch.full((2, 3, *size), 9, dtype=torch.uint8) for size in sizes]
    keys = [samples(1, size)[0] for size in sizes]
    data = dict(inputs=clips, data_samples=keys)
    out = ClipDataPreProcessor(pad_val=5)(data, True)
    assert out['inputs'].shape == (2, 2, 3, 32, 40)
    assert (out['inputs'][0, :, :, 24:] == 5).all()
    assert (out['inputs'][1, :, :, :, 24:] == 5).all()
    assert (out['inputs'][1, :, :, :, :24] == 9).all()
    assert out['data_samples'][1].gt_sem_seg.shape == (32, 40)
    with pytest.raises(ValueError, match='several sizes'):
        ClipDataPreProcessor()(dict(inputs=clips))


def test_a_memory_format_that_there_is_not():
    with pytest.raises(ValueError, match=r"channels_last.*got 'nhwc'"):
        ClipDataPreProcessor(memory_format='nhwc')
