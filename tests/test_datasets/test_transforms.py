import random
from collections import Counter

import cv2
import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform, Compose
from mmengine.dataset import pseudo_collate
from mmseg.registry import DATASETS, TRANSFORMS
from PIL import Image

from tests.sequences import SIZE, cityscapes_tree, frame, write_image

AUGMENT = [
    dict(
        type='RandomResize',
        scale=(96, 48),
        ratio_range=(0.75, 2.0),
        keep_ratio=True,
    ),
    dict(type='RandomCrop', crop_size=(24, 40), cat_max_ratio=0.5),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
]


def build(type_, **kwargs):
    return TRANSFORMS.build(dict(type=type_, **kwargs))


def seed(value):
    random.seed(value)
    np.random.seed(value)
    torch.manual_seed(value)


def clip_results(frames, label):
    return dict(
        img=[img.copy() for img in frames],
        gt_seg_map=label.copy(),
        img_shape=label.shape,
        ori_shape=label.shape,
        seg_fields=['gt_seg_map'],
        reduce_zero_label=False,
    )


class TestForEachFrame:
    def test_identical_frames_stay_identical(self):
        rng = np.random.default_rng(0)
        img = rng.integers(0, 256, (48, 96, 3), np.uint8)
        # One class dominates, so that RandomCrop has to draw again.
        label = (rng.random((48, 96)) < 0.3).astype(np.uint8)
        transform = build('ForEachFrame', transforms=AUGMENT)
        outputs = set()
        for i in range(30):
            seed(i)
            clip = transform(clip_results([img] * 4, label))['img']
            assert len(clip) == 4
            assert all(np.array_equal(clip[0], other) for other in clip)
            outputs.add(clip[0].tobytes())
        assert len(outputs) > 25

    def test_frames_are_cropped_as_the_label_is(self):
        # Every frame shows the label, so geometry must keep them together.
        label = np.arange(48 * 96, dtype=np.uint16).reshape(48, 96) % 251
        label = label.astype(np.uint8)
        img = np.repeat(label[..., None], 3, -1)
        transform = build(
            'ForEachFrame',
            transforms=[
                dict(type='RandomCrop', crop_size=(24, 40), cat_max_ratio=0.9),
                dict(type='RandomFlip', prob=0.5),
            ],
        )
        flips = set()
        for i in range(20):
            seed(i)
            results = transform(clip_results([img] * 3, label))
            flips.add(results['flip'])
            for img_out in results['img']:
                assert np.array_equal(img_out[..., 0], results['gt_seg_map'])
        assert flips == {True, False}

    def test_key_frame_as_mmseg_alone(self):
        rng = np.random.default_rng(1)
        frames = rng.integers(0, 256, (3, 48, 96, 3), np.uint8)
        label = rng.integers(0, 5, (48, 96)).astype(np.uint8)
        seed(3)
        clip = build('ForEachFrame', transforms=AUGMENT)(
            clip_results(frames, label)
        )
        after = random.random(), np.random.rand(), torch.rand(1).item()
        seed(3)
        alone = clip_results(frames, label)
        alone['img'] = alone['img'][-1]
        alone = Compose(AUGMENT)(alone)
        assert np.array_equal(clip['img'][-1], alone['img'])
        assert np.array_equal(clip['gt_seg_map'], alone['gt_seg_map'])
        for key in ('img_shape', 'scale_factor', 'flip'):
            assert clip[key] == alone[key]
        assert after == (random.random(), np.random.rand(), torch.rand(1))

    def test_every_source_of_chance_is_replayed(self):
        class Noise(BaseTransform):
            def transform(self, results):
                noise = random.random() + np.random.rand() + torch.rand(1)
                results['img'] = results['img'] * 0 + noise.item()
                return results

        clip = build('ForEachFrame', transforms=[Noise()])(
            dict(img=[np.zeros((2, 2, 3), np.float32)] * 3)
        )['img']
        assert np.ptp(clip) == 0

    def test_a_generator_of_its_own_is_seeded(self):
        """As albumentations has one from version 2 on."""

        class Aug:
            def set_random_seed(self, seed):
                self.rng = np.random.default_rng(seed)

        class Albu(BaseTransform):
            aug = Aug()

            def transform(self, results):
                results['img'] = results['img'] + self.aug.rng.random()
                return results

        transform = build('ForEachFrame', transforms=[Compose([Albu()])])

        def values(numpy_seed):
            seed(numpy_seed)
            clip = transform(dict(img=[np.zeros((2, 2, 3))] * 3))['img']
            assert np.ptp(clip) == 0
            return clip[0][0, 0, 0]

        assert values(1) == values(1) != values(2)

    @pytest.mark.parametrize(
        'config',
        [
            dict(
                type='RandomCutOut',
                prob=0.9,
                n_holes=(1, 3),
                cutout_shape=[(8, 8), (16, 4)],
            ),
            dict(type='RandomRotate', prob=0.9, degree=30),
            dict(type='RandomRotFlip', rotate_prob=0.5, flip_prob=0.5),
            dict(type='CLAHE'),
            dict(type='AdjustGamma', gamma=0.7),
            dict(type='PhotoMetricDistortion'),
            dict(type='RandomFlip', prob=0.5, direction='vertical'),
            dict(type='ResizeShortestEdge', scale=(32, 40), max_size=90),
            dict(type='RandomCrop', crop_size=(20, 30), cat_max_ratio=0.6),
        ],
        ids=lambda c: c['type'],
    )
    def test_transforms_of_mmseg_treat_frames_alike(self, config):
        rng = np.random.default_rng(0)
        img = rng.integers(0, 256, (48, 96, 3), np.uint8)
        label = rng.integers(0, 5, (48, 96)).astype(np.uint8)
        transform = build('ForEachFrame', transforms=[config])
        changed = 0
        for i in range(8):
            seed(i)
            clip = transform(clip_results([img] * 3, label))['img']
            assert all(np.array_equal(clip[0], other) for other in clip)
            changed += not np.array_equal(clip[0], img)
        assert changed

    def test_dropped_key_frame_drops_the_clip(self):
        class Drop(BaseTransform):
            def transform(self, results):
                return None

        transform = build('ForEachFrame', transforms=[Drop()])
        assert transform(dict(img=[np.zeros((2, 2, 3))])) is None

    @pytest.mark.parametrize('as_list', [True, False])
    def test_still(self, as_list):
        img = np.zeros((*SIZE, 3), np.uint8)
        results = build(
            'ForEachFrame', transforms=[dict(type='Resize', scale=(64, 32))]
        )(dict(img=[img] if as_list else img))
        packed = build('PackClipInputs')(results)
        assert packed['inputs'].shape == (1, 3, 32, 64)

    def test_input_is_left_alone(self):
        label = np.zeros((48, 96), np.uint8)
        results = clip_results([np.zeros((48, 96, 3), np.uint8)] * 2, label)
        build('ForEachFrame', transforms=AUGMENT)(results)
        assert results['gt_seg_map'].shape == (48, 96)
        assert results['seg_fields'] == ['gt_seg_map']


class TestRandomFrameInterval:
    def results(self):
        return dict(
            img_path='k',
            past_img_paths=[f'{i:02d}' for i in range(12)],
            num_frames=3,
            frame_interval=1,
        )

    def test_distribution(self):
        seed(0)
        transform = build('RandomFrameInterval', intervals=(1, 2, 4))
        seen = Counter()
        for _ in range(600):
            results = transform(self.results())
            interval = results['frame_interval']
            expected = [f'{12 - 2 * interval:02d}', f'{12 - interval:02d}']
            assert results['ref_img_paths'] == expected
            seen[interval] += 1
        assert set(seen) == {1, 2, 4}
        assert min(seen.values()) > 150

    def test_determinism(self):
        transform = build('RandomFrameInterval')
        draws = []
        for _ in range(2):
            seed(5)
            draws.append(
                [
                    transform(self.results())['frame_interval']
                    for _ in range(20)
                ]
            )
        assert draws[0] == draws[1]

    def test_still(self):
        results = build('RandomFrameInterval')(dict(img_path='k'))
        assert results['ref_img_paths'] == []

    @pytest.mark.parametrize('intervals', [(), (0, 1)])
    def test_bad_intervals(self, intervals):
        with pytest.raises(ValueError, match='numbers of frames >= 1'):
            build('RandomFrameInterval', intervals=intervals)


class TestLoadRefFrames:
    def test_still(self):
        img = frame(7)
        assert len(build('LoadRefFrames')(dict(img=img))['img']) == 1

    def test_float(self, tmp_path):
        path = write_image(tmp_path / 'a.png', frame(1))
        results = dict(img=frame(2).astype('float32'), ref_img_paths=[path])
        clip = build('LoadRefFrames', to_float32=True)(results)['img']
        assert [img.dtype for img in clip] == [np.float32] * 2

    def test_padding_does_not_share_memory(self, tmp_path):
        path = write_image(tmp_path / 'a.png', frame(1))
        results = dict(img=frame(2), img_path='k', ref_img_paths=[path, path])
        clip = build('LoadRefFrames')(results)['img']
        assert not np.shares_memory(clip[0], clip[1])

    @pytest.mark.parametrize(
        ('content', 'error', 'message'),
        [
            (b'', OSError, 'is empty or breaks off'),
            (b'text', OSError, 'no readable image'),
            (None, FileNotFoundError, 'no ref frame'),
            ('larger', ValueError, r'is 20x40, .* is 16x32'),
        ],
    )
    def test_bad_files(self, tmp_path, content, error, message):
        path = tmp_path / 'ref.png'
        if content == 'larger':
            write_image(path, frame(0, (20, 40)))
        elif content is not None:
            path.write_bytes(content)
        results = dict(
            img=frame(1), img_path='k.png', ref_img_paths=[str(path)]
        )
        with pytest.raises(error, match=message) as caught:
            build('LoadRefFrames')(results)
        assert 'ref.png' in str(caught.value)

    def test_jpeg_with_text_behind_it(self, tmp_path):
        path = tmp_path / 'a.jpg'
        write_image(path, frame(1))
        path.write_bytes(path.read_bytes() + b'camera notes ' * 20)
        results = dict(img=frame(2), ref_img_paths=[str(path)])
        assert len(build('LoadRefFrames')(results)['img']) == 2


class TestLoadClipAnnotations:
    def load(self, path, **kwargs):
        results = dict(
            img_path='image.png',
            seg_map_path=path,
            ori_shape=SIZE,
            img_shape=SIZE,
            num_classes=19,
            reduce_zero_label=False,
            label_map=None,
        )
        return build('LoadClipAnnotations')({**results, **kwargs})

    def test_no_label(self):
        # The size is that of the file, even behind a Resize.
        results = self.load(None, img_shape=(4, 8))
        assert results['gt_seg_map'].shape == SIZE
        assert (results['gt_seg_map'] == 255).all()
        assert results['seg_fields'] == ['gt_seg_map']

    def test_missing(self, tmp_path):
        with pytest.raises(FileNotFoundError, match='convert-cityscapes'):
            self.load(str(tmp_path / 'no.png'))

    def test_16_bit(self, tmp_path):
        path = write_image(tmp_path / 'a.png', np.zeros(SIZE, np.uint16))
        with pytest.raises(ValueError, match=r'a\.png.* 16-bit'):
            self.load(path)

    def test_size(self, tmp_path):
        path = write_image(tmp_path / 'a.png', np.zeros((8, 8), np.uint8))
        with pytest.raises(ValueError, match=r'a\.png.* is 8x8.* is 16x32'):
            self.load(path)

    def test_colour_image(self, tmp_path):
        path = write_image(tmp_path / 'a.png', np.zeros((*SIZE, 3), np.uint8))
        with pytest.raises(ValueError, match='not a colour image'):
            self.load(path)

    def test_ids(self, tmp_path):
        label = np.zeros(SIZE, np.uint8)
        label[0, :3] = 18, 26, 33
        path = write_image(tmp_path / 'a.png', label)
        with pytest.raises(ValueError, match=r'\[26, 33\]') as error:
            self.load(path)
        for part in ('a.png', '0 to 18'):
            assert part in str(error.value)

    def test_ignore(self, tmp_path):
        label = np.full(SIZE, 255, np.uint8)
        label[0] = 18
        path = write_image(tmp_path / 'a.png', label)
        assert np.array_equal(self.load(path)['gt_seg_map'], label)

    def test_palette(self, tmp_path):
        label = np.zeros(SIZE, np.uint8)
        label[0] = 7
        img = Image.fromarray(label)
        img.putpalette([i for i in range(256) for _ in range(3)])
        img.save(tmp_path / 'a.png')
        loaded = self.load(str(tmp_path / 'a.png'))['gt_seg_map']
        assert np.array_equal(loaded, label)

    def test_broken_off(self, tmp_path):
        ok, data = cv2.imencode('.png', np.zeros(SIZE, np.uint8))
        assert ok
        (tmp_path / 'a.png').write_bytes(data.tobytes()[:-8])
        with pytest.raises(OSError, match='breaks off'):
            self.load(str(tmp_path / 'a.png'))


class TestPackClipInputs:
    def test_shapes(self):
        clip = [frame(i) for i in (3, 4, 5)]
        packed = build('PackClipInputs')(
            dict(
                img=clip,
                gt_seg_map=np.zeros(SIZE, np.uint8),
                sequence='aachen_000000_000019',
                frame_id=19,
                img_path='k',
                ref_img_paths=['a', 'b'],
                num_frames=3,
                frame_interval=1,
            )
        )
        inputs, sample = packed['inputs'], packed['data_samples']
        assert inputs.shape == (3, 3, *SIZE)
        assert inputs.dtype == torch.uint8
        assert inputs.is_contiguous()
        assert inputs[:, 1, 0, 0].tolist() == [3, 4, 5]
        assert sample.gt_sem_seg.data.shape == (1, *SIZE)
        assert sample.frame_id == 19
        assert sample.ref_img_paths == ['a', 'b']

    def test_absent_keys(self):
        packed = build('PackClipInputs')(dict(img=frame(1)))
        assert packed['inputs'].shape == (1, 3, *SIZE)
        assert 'frame_id' not in packed['data_samples']

    def test_meta_keys(self):
        packed = build('PackClipInputs', meta_keys=('img_path',))(
            dict(img=frame(1), img_path='k', frame_id=3)
        )
        assert packed['data_samples'].metainfo_keys() == ['img_path']


def each(transform):
    return dict(type='ForEachFrame', transforms=[transform])


class TestPipelines:
    head = [dict(type='LoadImageFromFile'), dict(type='LoadRefFrames')]
    tail = [dict(type='LoadClipAnnotations'), dict(type='PackClipInputs')]

    def dataset(self, tmp_path, pipeline, **kwargs):
        return DATASETS.build(
            dict(
                type='CityscapesSequenceDataset',
                data_root=str(cityscapes_tree(tmp_path)),
                pipeline=pipeline,
                num_frames=3,
                **kwargs,
            )
        )

    def test_train(self, tmp_path):
        load = dict(type='LoadClipAnnotations')
        pipeline = [
            dict(type='LoadImageFromFile'),
            dict(type='RandomFrameInterval'),
            dict(type='LoadRefFrames'),
            load,
            dict(type='ForEachFrame', transforms=AUGMENT),
            dict(type='PackClipInputs'),
        ]
        dataset = self.dataset(tmp_path, pipeline)
        seed(0)
        batch = pseudo_collate([dataset[0], dataset[2]])
        assert [len(clip) for clip in batch['inputs']] == [3, 3]
        for clip, sample in zip(
            batch['inputs'], batch['data_samples'], strict=True
        ):
            assert clip.shape[-2:] == sample.gt_sem_seg.shape

    def test_test_keeps_the_label_as_it_is(self, tmp_path):
        resize = each(dict(type='Resize', scale=(64, 32), keep_ratio=True))
        dataset = self.dataset(tmp_path, [*self.head, resize, *self.tail])
        sample = dataset[0]
        assert sample['inputs'].shape == (3, 3, 32, 64)
        assert sample['data_samples'].gt_sem_seg.shape == SIZE
        assert sample['data_samples'].ori_shape == SIZE

    def test_time_augmentation(self, tmp_path):
        augment = dict(
            type='TestTimeAug',
            transforms=[
                [
                    each(dict(type='Resize', scale_factor=s, keep_ratio=True))
                    for s in (0.5, 1.0)
                ],
                [each(dict(type='RandomFlip', prob=p)) for p in (0.0, 1.0)],
                [dict(type='LoadClipAnnotations')],
                [dict(type='PackClipInputs')],
            ],
        )
        sample = self.dataset(tmp_path, [*self.head, augment])[1]
        shapes = [tuple(clip.shape) for clip in sample['inputs']]
        assert shapes == [(3, 3, 8, 16)] * 2 + [(3, 3, *SIZE)] * 2
        flips = [s.flip for s in sample['data_samples']]
        assert flips == [False, True, False, True]
        plain, flipped = sample['inputs'][2:]
        assert torch.equal(plain, flipped.flip(-1))
        for one in sample['data_samples']:
            assert one.gt_sem_seg.shape == SIZE

    def test_a_path_alone_is_a_still(self, tmp_path):
        # What MMSegInferencer and inference_model hand to a test pipeline.
        path = write_image(tmp_path / 'a.png', frame(3))
        packed = Compose([*self.head, *self.tail])(dict(img_path=path))
        assert packed['inputs'].shape == (1, 3, *SIZE)

    def test_an_array_alone_is_a_still(self):
        load = dict(type='LoadImageFromNDArray')
        pipeline = Compose([load, self.head[1], *self.tail])
        assert pipeline(dict(img=frame(3)))['inputs'].shape[0] == 1
