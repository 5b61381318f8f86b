import os
from pathlib import Path

import numpy as np
import pytest
from mmengine.dataset import pseudo_collate
from mmseg.evaluation import IoUMetric
from mmseg.registry import DATASETS

from mmseg_video.datasets import select_ref_frames
from tests.sequences import (
    CAMVID_NAMES,
    SIZE,
    camvid_tree,
    cityscapes_tree,
    frame,
    number_of,
    write_image,
    write_snippet,
)

LOAD = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadRefFrames'),
    dict(type='LoadClipAnnotations'),
]


def numbers(paths):
    """Frame numbers of the file names, Cityscapes' or CamVid's."""
    stems = [os.path.basename(path).split('.')[0] for path in paths]
    stems = [stem.removesuffix('_leftImg8bit') for stem in stems]
    return [int(stem.split('_')[-1].lstrip('f') or 0) for stem in stems]


def infos(dataset):
    return [dataset.get_data_info(i) for i in range(len(dataset))]


def cityscapes(root, **kwargs):
    cfg = dict(type='CityscapesSequenceDataset', data_root=str(root))
    return DATASETS.build({**cfg, **kwargs})


def camvid(root, split='train', **kwargs):
    prefix = dict(img_path=split, seg_map_path=f'{split}annot')
    cfg = dict(
        type='CamVidSequenceDataset', data_root=str(root), data_prefix=prefix
    )
    return DATASETS.build({**cfg, **kwargs})


@pytest.fixture
def logged(monkeypatch):
    """What the datasets say, in order."""
    lines = []
    for module in ('base_sequence', 'camvid_sequence', 'cityscapes_sequence'):
        monkeypatch.setattr(
            f'mmseg_video.datasets.{module}.print_log',
            lambda line, **_: lines.append(line),
        )
    return lines


@pytest.mark.parametrize(
    ('num_frames', 'interval', 'refs', 'padded'),
    [
        (1, 1, '', 0),
        (3, 1, 'de', 0),
        (3, 2, 'bd', 0),
        (5, 2, 'bbbd', 2),
        (3, 5, 'aa', 1),
        (3, 6, 'kk', 2),
    ],
)
def test_select_ref_frames(num_frames, interval, refs, padded):
    assert select_ref_frames('abcde', 'k', num_frames, interval) == (
        list(refs),
        padded,
    )


class TestCityscapes:
    def test_clips_by_arithmetic(self, tmp_path):
        data = infos(
            cityscapes(cityscapes_tree(tmp_path), num_frames=4, lazy_init=True)
        )
        assert [info['frame_id'] for info in data] == [19, 313, 600]
        for info in data:
            key = info['frame_id']
            assert numbers(info['ref_img_paths']) == [
                key - 3,
                key - 2,
                key - 1,
            ]
            assert numbers(info['past_img_paths']) == list(
                range(key - 19, key)
            )
            assert all(map(os.path.isfile, info['past_img_paths']))
            assert os.path.isfile(info['seg_map_path'])
            assert 'leftImg8bit/' in info['img_path']
        assert len({info['sequence'] for info in data}) == 3

    def test_a_frame_more_does_not_shift_the_clip(self, tmp_path):
        # Sorting and slicing would take a stray frame for a ref frame.
        cityscapes_tree(tmp_path)
        folder = tmp_path / 'leftImg8bit_sequence/train/bochum'
        write_image(folder / 'bochum_000000_000400_leftImg8bit.png', frame(0))
        info = infos(cityscapes(tmp_path, num_frames=3))[2]
        assert numbers(info['ref_img_paths']) == [598, 599]

    def test_interval(self, tmp_path):
        dataset = cityscapes(
            cityscapes_tree(tmp_path), num_frames=4, frame_interval=3
        )
        assert numbers(infos(dataset)[1]['ref_img_paths']) == [304, 307, 310]

    def test_an_interval_beyond_the_snippet_pads(self, tmp_path, logged):
        dataset = cityscapes(
            cityscapes_tree(tmp_path), num_frames=5, frame_interval=6
        )
        assert numbers(infos(dataset)[0]['ref_img_paths']) == [1, 1, 7, 13]
        assert len(logged) == 1
        assert '3 of 3 clips' in logged[0]

    def test_loads_in_time_order(self, tmp_path):
        dataset = cityscapes(
            cityscapes_tree(tmp_path), num_frames=3, pipeline=LOAD
        )
        sample = dataset[1]
        assert [number_of(img) for img in sample['img']] == [311, 312, 313]
        assert sample['gt_seg_map'].shape == SIZE

    def test_key_frame_from_sequence(self, tmp_path):
        dataset = cityscapes(
            cityscapes_tree(tmp_path), key_frame_from='sequence'
        )
        assert 'leftImg8bit_sequence/' in infos(dataset)[0]['img_path']
        with pytest.raises(ValueError, match='key_frame_from must be'):
            cityscapes(tmp_path, key_frame_from='video')

    def test_one_frame_needs_no_sequence_folder(self, tmp_path):
        cityscapes_tree(tmp_path)
        (tmp_path / 'leftImg8bit_sequence').rename(tmp_path / 'away')
        assert len(cityscapes(tmp_path, num_frames=1)) == 3

    def remove(self, tmp_path, *numbers):
        cityscapes_tree(tmp_path)
        for number in numbers:
            name = f'bochum/bochum_000000_{number:06d}_leftImg8bit.png'
            (tmp_path / 'leftImg8bit_sequence/train' / name).unlink()

    def test_missing_frame_is_an_error(self, tmp_path):
        self.remove(tmp_path, 311)
        dataset = cityscapes(tmp_path, num_frames=4, pipeline=LOAD)
        with pytest.raises(FileNotFoundError) as error:
            dataset[1]
        for part in ('_000311_', '_000313_', '324 GB', "missing='repeat'"):
            assert part in str(error.value)

    def test_missing_frame_repeats_the_later_one(self, tmp_path, logged):
        self.remove(tmp_path, 311)
        dataset = cityscapes(
            tmp_path, num_frames=4, missing='repeat', pipeline=LOAD
        )
        clip = dataset[1]['img']
        assert [number_of(img) for img in clip] == [310, 312, 312, 313]
        assert not np.shares_memory(clip[1], clip[2])
        dataset[1]
        assert len(logged) == 1
        assert '1 of 3 clips lack' in logged[0]

    def test_nothing_missing_logs_nothing(self, tmp_path, logged):
        cityscapes(cityscapes_tree(tmp_path), num_frames=4, missing='repeat')
        assert not logged

    def test_stream(self, tmp_path):
        data = infos(cityscapes(cityscapes_tree(tmp_path), mode='stream'))
        expected = [*range(30), *range(294, 324), *range(581, 611)]
        assert [info['frame_id'] for info in data] == expected
        sequences = [info['sequence'] for info in data]
        assert sequences == sorted(sequences)
        labelled = [i['frame_id'] for i in data if i['seg_map_path']]
        assert labelled == [19, 313, 600]
        assert all(info['ref_img_paths'] == [] for info in data)

    def test_a_stream_ends_with_its_snippet(self, tmp_path):
        write_snippet(tmp_path, 'aachen', 0, 40, range(60))
        data = infos(cityscapes(tmp_path, mode='stream'))
        assert [info['frame_id'] for info in data] == list(range(21, 51))
        (clip,) = infos(cityscapes(tmp_path, num_frames=30))
        assert numbers(clip['past_img_paths']) == list(range(21, 40))

    def test_stream_with_a_hole(self, tmp_path):
        self.remove(tmp_path, 311)
        with pytest.raises(FileNotFoundError, match='_000311_'):
            cityscapes(tmp_path, mode='stream')
        data = infos(cityscapes(tmp_path, mode='stream', missing='repeat'))
        assert len(data) == 89
        assert 311 not in [info['frame_id'] for info in data]

    def test_stream_of_a_partial_copy(self, tmp_path):
        # Neither end of a snippet is needed; the labelled frame comes from
        # leftImg8bit.
        self.remove(tmp_path, 294, 295, 323, 313)
        data = infos(cityscapes(tmp_path, mode='stream'))
        numbers_there = [info['frame_id'] for info in data]
        assert numbers_there[30:56] == list(range(296, 322))
        key = next(info for info in data if info['frame_id'] == 313)
        assert os.path.isfile(key['img_path'])

    def test_labels_without_frames_are_left_out_on_demand(
        self, tmp_path, logged
    ):
        self.remove(tmp_path, 311)
        key = 'leftImg8bit/train/aachen/aachen_000000_000019_leftImg8bit.png'
        (tmp_path / key).unlink()
        data = infos(cityscapes(tmp_path, num_frames=2, missing='drop'))
        assert [info['frame_id'] for info in data] == [313, 600]
        assert '1 of 3 snippets lack frames and are left out' in logged[0]
        data = infos(cityscapes(tmp_path, num_frames=4, missing='drop'))
        assert [info['frame_id'] for info in data] == [600]
        data = infos(cityscapes(tmp_path, num_frames=1, missing='drop'))
        assert [info['frame_id'] for info in data] == [313, 600]
        # A hole, and a labelled frame that is not there.
        data = infos(cityscapes(tmp_path, mode='stream', missing='drop'))
        assert [info['frame_id'] for info in data] == list(range(581, 611))
        # Where a snippet ends early nothing is missing.
        self.remove(tmp_path, 609, 610)
        (tmp_path / key).unlink()
        data = infos(cityscapes(tmp_path, mode='stream', missing='drop'))
        assert [i['frame_id'] for i in data][-28:] == list(range(581, 609))

    @pytest.mark.parametrize('folder', ['leftImg8bit*', 'leftImg8bit_seq*'])
    def test_frames_may_be_jpeg(self, folder, tmp_path):
        cityscapes_tree(tmp_path)
        for path in tmp_path.glob(f'{folder}/train/*/*.png'):
            number = int(path.stem.split('_')[2])
            write_image(path.with_suffix('.jpg'), frame(number))
            path.unlink()
        dataset = cityscapes(tmp_path, num_frames=3, pipeline=LOAD)
        info = infos(dataset)[1]
        assert numbers(info['ref_img_paths']) == [311, 312]
        assert info['ref_img_paths'][0].endswith('.jpg')
        assert len(dataset[1]['img']) == 3
        assert len(cityscapes(tmp_path, mode='stream')) == 90
        name = dataset.label_name(info['img_path'])
        assert name == 'bochum/bochum_000000_000313_gtFine_labelTrainIds.png'

    def test_other_ids_are_sent_to_the_converter(self, tmp_path):
        cityscapes_tree(tmp_path)
        dataset = cityscapes(tmp_path, pipeline=LOAD)
        path = dataset.get_data_info(0)['seg_map_path']
        write_image(Path(path), np.full(SIZE, 33, np.uint8))
        with pytest.raises(ValueError, match=r'\[33\].*labelTrainIds'):
            dataset[0]

    def test_a_split_without_labels(self, tmp_path):
        cityscapes_tree(tmp_path)
        (tmp_path / 'gtFine').rename(tmp_path / 'away')
        dataset = cityscapes(
            tmp_path, num_frames=2, key_frames='images', pipeline=LOAD
        )
        assert [i['frame_id'] for i in infos(dataset)] == [19, 313, 600]
        assert (dataset[0]['gt_seg_map'] == 255).all()
        data = infos(cityscapes(tmp_path, mode='stream', key_frames='images'))
        assert len(data) == 90
        assert all(info['seg_map_path'] is None for info in data)

    def test_metric_on_a_stream(self, tmp_path):
        # mmseg's metric as it is: only the labelled frames count.
        dataset = cityscapes(
            cityscapes_tree(tmp_path),
            mode='stream',
            pipeline=[*LOAD, dict(type='PackClipInputs')],
        )
        metric = IoUMetric(iou_metrics=['mIoU'])
        metric.dataset_meta = dataset.metainfo
        for i in range(len(dataset)):
            batch = pseudo_collate([dataset[i]])
            sample = batch['data_samples'][0]
            gt = sample.gt_sem_seg.data
            labelled = bool((gt != 255).any())
            # Right where there is a label, and wrong where there is none.
            predicted = gt if labelled else gt * 0 + 7
            metric.process(
                {},
                [
                    dict(
                        pred_sem_seg=dict(data=predicted),
                        gt_sem_seg=dict(data=gt),
                    )
                ],
            )
        assert metric.evaluate(len(dataset))['aAcc'] == 100


class TestCamVid:
    def test_four_names(self, tmp_path):
        camvid_tree(tmp_path)
        for split, names in CAMVID_NAMES.items():
            data = infos(camvid(tmp_path, split))
            assert len(data) == len(names)
            for info in data:
                assert info['frame_id'] == numbers([info['img_path']])[0]

    @pytest.mark.parametrize('suffix', ['.png', '.jpg'])
    def test_either_image_format(self, tmp_path, suffix):
        dataset = camvid(camvid_tree(tmp_path, suffix), 'val', num_frames=2)
        info = infos(dataset)[3]
        assert info['img_path'].endswith(suffix)
        assert info['seg_map_path'].endswith('.png')
        assert numbers(info['ref_img_paths']) == [7963]

    def test_a_camera_that_writes_capitals(self, tmp_path):
        for path in [*camvid_tree(tmp_path, '.jpg').rglob('*.*')]:
            path.rename(path.with_suffix(path.suffix.upper()))
        data = infos(camvid(tmp_path, 'val', num_frames=2))
        assert len(data) == len(CAMVID_NAMES['val'])
        assert all(os.path.isfile(info['seg_map_path']) for info in data)
        assert all(info['img_path'].endswith('.JPG') for info in data)

    def test_hidden_files_are_no_frames(self, tmp_path):
        camvid_tree(tmp_path)
        hidden = 'val/._0016E5_07959.png', 'valannot/._0016E5_07959.png'
        for name in (*hidden, 'val/.trash/cover.png'):
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b'AppleDouble')
        assert len(camvid(tmp_path, 'val')) == len(CAMVID_NAMES['val'])

    def test_interval_counts_available_frames(self, tmp_path):
        dataset = camvid(
            camvid_tree(tmp_path), 'val', num_frames=3, frame_interval=2
        )
        info = infos(dataset)[-1]
        assert numbers(info['ref_img_paths']) == [7965, 7969]

    @pytest.mark.parametrize('wrapped', [False, True])
    def test_the_past_is_as_long_as_the_augments_reach(
        self, tmp_path, wrapped
    ):
        names = dict(val=[f'0016E5_{n:05d}' for n in range(45)])
        interval = dict(type='RandomFrameInterval', intervals=(1, 10))
        options = dict(pipeline=LOAD, augments=dict(interval=interval))
        if wrapped:
            wrapper = dict(type='RandomApply', prob=1, transforms=[interval])
            options = dict(pipeline=[wrapper, *LOAD])
        dataset = camvid(
            camvid_tree(tmp_path, names=names), 'val', num_frames=5, **options
        )
        np.random.seed(0)
        clips = [dataset[44]['img'] for _ in range(10)]
        seen = {tuple(number_of(img) for img in clip) for clip in clips}
        assert seen == {(40, 41, 42, 43, 44), (4, 14, 24, 34, 44)}
        # A long video does not keep all of its past for each frame.
        assert len(dataset.get_data_info(44)['past_img_paths']) == 40

    def test_gap(self, tmp_path, logged):
        data = infos(camvid(camvid_tree(tmp_path), num_frames=3))
        by_number = {
            info['frame_id']: numbers(info['ref_img_paths']) for info in data
        }
        assert by_number[6750] == [6690, 6720]
        # 60 source frames lie between 6750 and 6810.
        assert by_number[6810] == [6810, 6810]
        assert by_number[6840] == [6810, 6810]
        assert len(logged) == 1
        # Two at the beginning of each of the four sequences.
        assert '8 of 14 clips' in logged[0]

    def test_max_gap(self, tmp_path):
        data = infos(camvid(camvid_tree(tmp_path), num_frames=3, max_gap=60))
        refs = {i['frame_id']: numbers(i['ref_img_paths']) for i in data}
        assert refs[6810] == [6720, 6750]
        with pytest.raises(ValueError, match='max_gap must be >= 1'):
            camvid(tmp_path, max_gap=0)

    def test_stream_splits_at_gaps(self, tmp_path):
        data = infos(camvid(camvid_tree(tmp_path), mode='stream'))
        sequences = [info['sequence'] for info in data]
        assert sequences == sorted(sequences)
        assert sequences.count('0001TP_006690') == 3
        assert sequences.count('0001TP_006810') == 2

    def test_unlabelled_frames(self, tmp_path, logged):
        camvid_tree(tmp_path)
        (tmp_path / 'valannot/0016E5_07963.png').unlink()
        clips = infos(camvid(tmp_path, 'val', num_frames=2))
        assert 7963 not in [info['frame_id'] for info in clips]
        assert numbers(clips[2]['ref_img_paths']) == [7963]
        assert '1 frames of' in logged[0]
        stream = camvid(tmp_path, 'val', mode='stream', pipeline=LOAD)
        assert stream.get_data_info(2)['seg_map_path'] is None
        assert (stream[2]['gt_seg_map'] == 255).all()
        assert len(stream) == len(clips) + 1

    def test_unlabelled_class_is_ignored(self, tmp_path):
        label = camvid(camvid_tree(tmp_path), pipeline=LOAD)[0]['gt_seg_map']
        assert (label[0] == 255).all()
        assert (label[1:] == 3).all()

    def test_fewer_classes(self, tmp_path):
        dataset = camvid(
            camvid_tree(tmp_path),
            pipeline=LOAD,
            metainfo=dict(classes=('Sky', 'Road')),
        )
        sample = dataset[0]
        assert sample['num_classes'] == 2
        assert np.unique(sample['gt_seg_map']).tolist() == [1, 255]

    def test_same_frame_twice(self, tmp_path):
        camvid_tree(tmp_path)
        write_image(tmp_path / 'val/0016E5_07959.jpg', frame(7959))
        with pytest.raises(ValueError, match='same frame'):
            camvid(tmp_path, 'val')

    def test_name_without_number(self, tmp_path):
        camvid_tree(tmp_path)
        write_image(tmp_path / 'val/cover.png', frame(0))
        with pytest.raises(ValueError, match='no frame number'):
            camvid(tmp_path, 'val')


class TestBadArguments:
    @pytest.mark.parametrize(
        ('kwargs', 'message'),
        [
            (dict(num_frames=0), 'num_frames must be >= 1, got 0'),
            (dict(num_frames=2.0), 'num_frames must be an int'),
            (dict(frame_interval=0), 'frame_interval must be >= 1, got 0'),
            (dict(mode='video'), "mode must be one of .*'video'"),
            (dict(mode='stream', num_frames=2), 'set num_frames=1, got 2'),
            (dict(missing='skip'), "missing must be 'error', 'repeat'"),
            (dict(data_prefix=dict(img_path='train')), "no 'seg_map_path'"),
        ],
    )
    def test_value(self, tmp_path, kwargs, message):
        camvid_tree(tmp_path)
        with pytest.raises(ValueError, match=message):
            camvid(tmp_path, **kwargs)

    @pytest.mark.parametrize('build', [cityscapes, camvid])
    def test_wrong_root(self, tmp_path, build):
        with pytest.raises(FileNotFoundError) as error:
            build(tmp_path / 'nowhere')
        for part in ('nowhere', 'expected', 'Check data_root'):
            assert part in str(error.value)

    def test_empty_split(self, tmp_path):
        for folder in ('train', 'trainannot', 'gtFine/train'):
            (tmp_path / folder).mkdir(parents=True)
        with pytest.raises(ValueError, match=r'no samples in .*train'):
            camvid(tmp_path)
        with pytest.raises(ValueError, match='convert-cityscapes'):
            cityscapes(tmp_path)

    def test_missing_sequence_path(self, tmp_path):
        cityscapes_tree(tmp_path)
        prefix = dict(
            img_path='leftImg8bit/train', seg_map_path='gtFine/train'
        )
        with pytest.raises(ValueError, match="no 'seq_path'"):
            cityscapes(tmp_path, num_frames=2, data_prefix=prefix)


@pytest.mark.parametrize('content', [b'', b'not an image'])
def test_unreadable_key_frame(tmp_path, content):
    dataset = camvid(camvid_tree(tmp_path), 'val', pipeline=LOAD)
    path = tmp_path / 'val/0016E5_07959.png'
    path.write_bytes(content)
    with pytest.raises((OSError, RuntimeError), match='0016E5_07959'):
        dataset[0]


@pytest.mark.parametrize('suffix', ['.png', '.jpg'])
@pytest.mark.parametrize('index', [0, 1], ids=['key', 'ref'])
def test_half_an_image(tmp_path, suffix, index):
    dataset = camvid(
        camvid_tree(tmp_path, suffix), 'val', num_frames=2, pipeline=LOAD
    )
    path = tmp_path / f'val/0016E5_07959{suffix}'
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(OSError, match=r'0016E5_07959.* breaks off'):
        dataset[index]
