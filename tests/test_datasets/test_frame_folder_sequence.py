"""One's own labelled video: a folder of frames for each, labels beside."""

import json

import numpy as np
import pytest
from mmseg.registry import DATASETS
from PIL import Image

from mmseg_video.datasets.class_statistics import class_pixels
from mmseg_video.datasets.transforms.colour_labels import ids_of_colours
from mmseg_video.io.writers import LabelWriter
from tests.sequences import SIZE, frame, number_of, write_image

CLASSES = ['grass', 'cat', 'dog']
PALETTE = [[0, 200, 0], [250, 0, 0], [0, 0, 250]]
LOAD = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadRefFrames'),
    dict(type='LoadClipAnnotations'),
]


def label():
    """All three classes."""
    ids = np.zeros(SIZE, np.uint8)
    ids[4:8], ids[8:12] = 1, 2
    return ids


def write_label(path, ids):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(ids).save(path)


@pytest.fixture
def root(tmp_path):
    """Two videos to train on, every second frame labelled, one to test."""
    for video, numbers in (('train/a', (8, 9, 10, 11)), ('train/b/c', (1, 2))):
        for number in numbers:
            stem = tmp_path / video / f'img_{number}'
            write_image(stem.with_suffix('.BMP'), frame(number))
            if number % 2 == 0:
                write_label(stem.with_suffix('.png'), label())
    write_image(tmp_path / 'val/d/000001.jpg', frame(1))
    write_label(tmp_path / 'val/d/000001.png', label())
    (tmp_path / 'train/a/._img_8.BMP').write_bytes(b'AppleDouble')
    return tmp_path


def build(root, **kwargs):
    cfg = dict(
        type='FrameFolderSequenceDataset',
        data_root=str(root),
        classes=CLASSES,
        palette=PALETTE,
        pipeline=LOAD,
    )
    return DATASETS.build({**cfg, **kwargs})


def infos(dataset):
    return [dataset.get_data_info(i) for i in range(len(dataset))]


def test_clips_end_in_labelled_frames(root):
    dataset = build(root, num_frames=3)
    data = infos(dataset)
    assert [(i['sequence'], i['frame_id']) for i in data] == [
        ('a', 8),
        ('a', 10),
        ('b/c', 2),
    ]
    clip = dataset[1]
    # 8.BMP before 9.BMP before 10.BMP, whatever the file system says.
    assert [number_of(img) for img in clip['img']] == [8, 9, 10]
    np.testing.assert_array_equal(clip['gt_seg_map'], label())
    assert dataset.metainfo['classes'] == tuple(CLASSES)
    assert dataset.metainfo['palette'] == PALETTE


def test_streams_have_every_frame(root):
    data = infos(build(root, mode='stream'))
    assert [i['frame_id'] for i in data] == [8, 9, 10, 11, 1, 2]
    assert [bool(i['seg_map_path']) for i in data] == [
        *(True, False, True, False),
        *(False, True),
    ]
    val = dict(img_path='val', seg_map_path='val')
    assert len(build(root, mode='stream', data_prefix=val)) == 1


def test_labels_may_have_a_tree_and_a_name_of_their_own(root):
    for path in sorted((root / 'train').rglob('*.png')):
        target = root / 'masks' / path.relative_to(root / 'train')
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target.with_name(f'{target.stem}_mask.png'))
    prefix = dict(img_path='train', seg_map_path='masks')
    dataset = build(root, data_prefix=prefix, seg_map_suffix='_mask.png')
    assert len(dataset) == 3
    np.testing.assert_array_equal(dataset[2]['gt_seg_map'], label())
    with pytest.raises(ValueError, match='none of the 3 label maps in'):
        build(root, data_prefix=prefix, seg_map_suffix='.png')


def test_frames_and_labels_of_one_suffix_in_one_folder(root):
    for path in (root / 'train').rglob('*.BMP'):
        write_image(path.with_suffix('.png'), frame(1))
        path.unlink()
    with pytest.raises(ValueError, match='name the suffix that tells them'):
        build(root)
    for path in (root / 'train').rglob('img_8.png'):
        write_label(path.with_name('img_8_ids.png'), label())
    dataset = build(root, seg_map_suffix='_ids.png')
    assert [i['frame_id'] for i in infos(dataset)] == [8]


def test_names_without_numbers_are_counted(tmp_path):
    for name in ('x_left', 'y_left', 'z_left'):
        write_image(tmp_path / f'train/v/{name}.jpg', frame(0))
        write_label(tmp_path / f'train/v/{name}.png', label())
    assert [i['frame_id'] for i in infos(build(tmp_path))] == [0, 1, 2]


def test_a_gap_begins_a_new_sequence(tmp_path):
    for number in (0, 5, 10, 100, 105):
        write_image(tmp_path / f'train/v/{number}.jpg', frame(0))
        write_label(tmp_path / f'train/v/{number}.png', label())
    dataset = build(tmp_path, max_gap=5)
    assert [i['sequence'] for i in infos(dataset)] == [
        *['v/000000'] * 3,
        *['v/000100'] * 2,
    ]
    assert {i['sequence'] for i in infos(build(tmp_path))} == {'v'}


def test_a_list_of_videos(root):
    (root / 'mine.txt').write_text('b/c\n\n')
    assert [
        i['sequence'] for i in infos(build(root, ann_file='mine.txt'))
    ] == ['b/c']
    (root / 'mine.txt').write_text('b/c\nnone\n')
    with pytest.raises(FileNotFoundError, match="the video 'none'"):
        build(root, ann_file='mine.txt')
    with pytest.raises(FileNotFoundError, match='no list of videos'):
        build(root, ann_file='other.txt')


def test_classes_of_a_file_as_label_maps_are_written_with(root):
    with LabelWriter(root / 'labels', CLASSES, PALETTE) as writer:
        writer.write(label(), 'img_8')
    (root / 'labels/classes.json').rename(root / 'classes.json')
    (root / 'labels/img_8.png').replace(root / 'train/a/img_8.png')
    dataset = build(root, classes=None, palette=None)
    assert dataset.metainfo['classes'] == tuple(CLASSES)
    assert dataset.metainfo['palette'] == PALETTE
    np.testing.assert_array_equal(dataset[0]['gt_seg_map'], label())


@pytest.mark.parametrize(
    ('content', 'sentence'),
    [
        (None, 'no classes are named'),
        (['road'], 'is no list of classes'),
        ([dict(id=1, name='road')], r'must go from 0 to 0, they are \[1\]'),
    ],
)
def test_classes_that_are_not_named(content, sentence, root):
    if content is not None:
        (root / 'classes.json').write_text(json.dumps(content))
    with pytest.raises(ValueError, match=sentence):
        build(root, classes=None, palette=None)


def encodings():
    """Name -> (image, arguments) of one label map in each way of writing."""
    ids = label()
    colours = np.array(PALETTE, np.uint8)[ids]
    palette = Image.fromarray(ids)
    palette.putpalette(np.uint8(PALETTE).ravel().tolist())
    alpha = np.dstack([colours, np.full(SIZE, 255, np.uint8)])
    void = colours.copy()
    void[0] = (9, 9, 9)
    grey = np.array([0, 120, 255], np.uint8)[ids]
    return dict(
        ids=(Image.fromarray(ids), {}),
        palette=(palette, {}),
        colours=(Image.fromarray(colours), {}),
        alpha=(Image.fromarray(alpha), {}),
        grey=(Image.fromarray(grey), dict(label_map={120: 1, 255: 2})),
        void=(Image.fromarray(void), dict(ignored_colours=[[9, 9, 9]])),
    )


@pytest.mark.parametrize('name', encodings())
def test_ways_to_write_a_label_map(name, root):
    image, arguments = encodings()[name]
    image.save(root / 'train/a/img_8.png')
    expected = label()
    if name == 'void':
        expected[0] = 255
    got = build(root, **arguments)[0]['gt_seg_map']
    np.testing.assert_array_equal(got, expected)


def test_classes_are_counted_in_colours_too(root):
    image, _ = encodings()['colours']
    image.save(root / 'train/a/img_8.png')
    counts = class_pixels(build(root))
    expected = np.bincount(label().ravel(), minlength=3)
    np.testing.assert_array_equal(counts, [expected] * 3)


def test_a_photo_on_its_side_fits_its_upright_label(root):
    upright = np.dstack([label() * 100] * 3)
    exif = Image.Exif()
    exif[0x0112] = 6  # shown after a quarter turn
    turned = Image.fromarray(np.rot90(upright).copy())
    (root / 'train/a/img_8.BMP').unlink()
    turned.save(root / 'train/a/img_8.jpg', exif=exif, quality=95)
    sample = build(root)[0]
    difference = sample['img'][0][..., 0].astype(int) - upright[..., 0]
    assert np.abs(difference).mean() < 10
    np.testing.assert_array_equal(sample['gt_seg_map'], label())


def test_label_maps_that_are_refused(root):
    path = root / 'train/a/img_8.png'

    def refused(image, sentence, **arguments):
        image.save(path)
        with pytest.raises(ValueError, match=sentence):
            build(root, **arguments)[0]

    grey = Image.fromarray(np.uint8([0, 120])[label().clip(max=1)])
    refused(grey, r'has the ids \[120\].*0 to 2.*label_map=\{id: class\}')
    colours = np.array(PALETTE, np.uint8)[label()]
    colours[0, :3] = (9, 8, 7)
    refused(
        Image.fromarray(colours),
        r'is in colours, but 0.6% of its pixels have 1 colours that no class '
        r'has, most often \[9, 8, 7\] \(RGB\)',
    )
    refused(
        Image.fromarray(colours),
        'two classes share a colour',
        palette=[[0, 0, 0]] * 3,
    )
    refused(Image.fromarray(label().astype(np.uint16)), '16-bit')
    Image.fromarray(label()).save(path, 'JPEG')
    with pytest.raises(ValueError, match='is a JPEG, which does not keep'):
        build(root)[0]


def test_maps_to_no_class_are_refused(root):
    with pytest.raises(ValueError, match='3 is none of the 3 classes'):
        build(root, label_map={7: 3})
    with pytest.raises(ValueError, match='3 classes are named and 1 colours'):
        build(root, palette=[[0, 0, 0]])


def test_two_images_of_one_name(root):
    write_image(root / 'train/a/img_8.jpg', frame(8))
    with pytest.raises(ValueError, match="are called 'img_8'"):
        build(root)


def test_the_most_frequent_unknown_colour_is_told():
    image = np.zeros((2, 3, 3), np.uint8)
    image[0, 0] = (1, 2, 3)
    image[1] = (4, 5, 6)
    with pytest.raises(ValueError, match=r'66.7%.*2 colours.*\[4, 5, 6\]'):
        ids_of_colours(image, [[0, 0, 0]])
