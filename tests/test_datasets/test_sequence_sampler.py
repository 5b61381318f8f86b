import pytest

from mmseg_video.datasets import CamVidSequenceDataset, SequenceSampler
from mmseg_video.datasets.sequence_sampler import partition, sequences_of
from tests.sequences import camvid_tree


def runs(*lengths):
    at, out = 0, []
    for length in lengths:
        out.append(list(range(at, at + length)))
        at += length
    return out


@pytest.mark.parametrize('processes', [1, 2, 3, 5])
@pytest.mark.parametrize('lengths', [(30,) * 7, (5, 1, 9, 3), (4,), (2, 50)])
def test_each_sample_once_and_sequences_whole(lengths, processes):
    sequences = runs(*lengths)
    shares = partition(sequences, processes)
    assert len(shares) == processes
    assert sorted(i for share in shares for i in share) == list(
        range(sum(lengths))
    )
    for share in shares:
        assert share == sorted(share)
        for sequence in sequences:
            assert set(sequence) <= set(share) or not set(sequence) & set(
                share
            )
    busiest = max(map(len, shares))
    assert busiest <= sum(lengths) / processes + max(lengths)


def test_the_longest_sequence_is_dealt_first():
    shares = partition(runs(1, 1, 1, 9), 2)
    assert sorted(map(len, shares)) == [3, 9]


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


def test_other_datasets_and_shuffling_are_refused():
    with pytest.raises(ValueError, match='cannot be shuffled'):
        SequenceSampler(None, shuffle=True)
    with pytest.raises(TypeError, match='needs a sequence dataset'):
        SequenceSampler([1, 2, 3])
