import pytest

from mmseg_video.datasets import CamVidSequenceDataset, SequenceSampler
from mmseg_video.datasets.sequence_sampler import sequences_of
from tests.sequences import camvid_tree


def test_reads_the_sequences_of_a_dataset(tmp_path):
    root = camvid_tree(tmp_path)
    dataset = CamVidSequenceDataset(
        data_root=str(root),
        data_prefix=dict(img_path='train', seg_map_path='trainannot'),
        mode='stream',
        pipeline=[],
    )
    # 0001TP has a gap: two sequences; then 0006R0 and 0016E5.
    assert [len(run) for run in sequences_of(dataset)] == [3, 2, 2, 7]
    sampler = SequenceSampler(dataset)
    assert list(sampler) == list(range(14))
    assert len(sampler) == 14


def test_sequences_stay_whole_and_in_order(tmp_path, monkeypatch):
    dataset = CamVidSequenceDataset(
        data_root=str(camvid_tree(tmp_path)),
        data_prefix=dict(img_path='train', seg_map_path='trainannot'),
        mode='stream',
        pipeline=[],
    )
    shares = []
    for rank in range(2):
        monkeypatch.setattr(
            'mmseg_video.datasets.sequence_sampler.get_dist_info',
            lambda rank=rank: (rank, 2),
        )
        shares.append(list(SequenceSampler(dataset)))
    assert sorted(map(len, shares)) == [7, 7]
    for share in shares:
        assert share == sorted(share)
        for run in sequences_of(dataset):
            assert set(run) <= set(share) or not set(run) & set(share)


def test_other_datasets_and_shuffling_are_refused():
    with pytest.raises(ValueError, match='cannot be shuffled'):
        SequenceSampler(None, shuffle=True)
    with pytest.raises(TypeError, match='needs a sequence dataset'):
        SequenceSampler([1, 2, 3])
