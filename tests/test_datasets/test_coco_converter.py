"""Semantic maps of COCO's instances."""

import json
import sys

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask

from mmseg_video.datasets.converters.coco_masks import draw
from tests.coco import SIZE, coco_tree, content, crowd, square, thing
from tests.commands import TOOLS, call, load_tool

TOOL = load_tool('dataset_converters/coco_semantic')


def made(root, i, split='train2017'):
    path = root / 'semantic' / split / f'{i:012d}.png'
    label = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert label.shape == SIZE
    assert label.dtype == np.uint8
    return label


def convert(root, *arguments, workers=1):
    TOOL.main([str(root), '--workers', str(workers), *map(str, arguments)])


def error(root, capsys, *arguments):
    """The one sentence that a run ends in."""
    with pytest.raises(SystemExit) as info:
        convert(root, *arguments)
    assert info.value.code == 1
    sentence = capsys.readouterr().err.strip().splitlines()[-1]
    assert sentence.startswith('error: ')
    return sentence


def test_the_smaller_object_is_drawn_last_and_crowds_first(tmp_path):
    area = np.zeros(SIZE, bool)
    area[:, 30:] = True
    small, large = square(10, 10, 20, 20), square(0, 0, 40, 30)
    for i, order in ((1, 1), (2, -1)):
        things = [thing(90, small), thing(1, large), crowd(3, area)]
        coco_tree(tmp_path, {i: things[::order]}, f'split{i}')
    convert(tmp_path)
    label = made(tmp_path, 1, 'split1')
    assert (label[10:20, 10:20] == 90).all()
    assert (label[5, :40] == 1).all()
    assert (label[5, 40:] == 255).all()
    assert (label[35, :30] == 0).all()
    assert (label[35, 30:] == 255).all()
    assert np.unique(label).tolist() == [0, 1, 90, 255]
    assert (label == made(tmp_path, 2, 'split2')).all()


def test_parts_of_an_object_and_images_without_any(tmp_path, capsys):
    parts = thing(
        3, square(0, 0, 10, 10), square(30, 20, 40, 30), [1, 1, 5, 5]
    )
    coco_tree(tmp_path, {1: [parts], 2: [], 7: [thing(1, [1, 1, 5, 5])]})
    convert(tmp_path)
    label = made(tmp_path, 1)
    assert (label == 3).sum() == 200
    assert (label[22, 32], label[15, 15]) == (3, 0)
    assert not made(tmp_path, 2).any()
    assert not made(tmp_path, 7).any()
    out = capsys.readouterr().out
    assert '3 maps made, 0 were there' in out
    assert '1 objects, 1 more have no pixel' in out


def test_workers_and_resumption(tmp_path, capsys):
    images = {i: [thing(1, square(0, 0, i, i))] for i in range(1, 9)}
    coco_tree(tmp_path, images)
    convert(tmp_path, workers=2)
    for i in images:
        assert (made(tmp_path, i) == 1).sum() == i * i
    folder = tmp_path / 'semantic' / 'train2017'
    assert sorted(p.suffix for p in folder.iterdir()) == ['.png'] * 8
    kept, lost = folder / f'{1:012d}.png', folder / f'{2:012d}.png'
    before = kept.stat().st_mtime_ns
    lost.unlink()
    capsys.readouterr()
    convert(tmp_path)
    assert '1 maps made, 7 were there' in capsys.readouterr().out
    assert lost.exists()
    assert kept.stat().st_mtime_ns == before


def test_a_kill_in_the_middle_of_a_write_leaves_no_map(tmp_path, monkeypatch):
    coco_tree(tmp_path, {1: []})

    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr('os.replace', stop)
        with pytest.raises(KeyboardInterrupt):
            convert(tmp_path)
    assert list((tmp_path / 'semantic').rglob('*.*')) == []
    convert(tmp_path)
    assert not made(tmp_path, 1).any()


def test_no_annotations(tmp_path, capsys):
    assert "no 'annotations/instances_*.json' in" in error(tmp_path, capsys)
    sentence = error(tmp_path, capsys, '--splits', 'val2017')
    assert "instances_val2017.json'" in sentence


def test_a_truncated_json(tmp_path, capsys):
    path = coco_tree(tmp_path, {1: [thing(1, square(0, 0, 9, 9))]})
    path.write_text(path.read_text()[:150])
    sentence = error(tmp_path, capsys)
    assert f"'{path}' are no whole JSON (150 bytes;" in sentence
    assert not (tmp_path / 'semantic').exists()


THING = [thing(1, square(0, 0, 9, 9))]


def without(key):
    whole = content({1: THING})
    del whole[key]
    return whole


def changed(key, **changes):
    whole = content({1: THING})
    whole[key][0].update(changes)
    return whole


def lacking(key, field):
    whole = content({1: THING})
    del whole[key][0][field]
    return whole


def rle(counts):
    return changed(
        'annotations', segmentation=dict(counts=counts, size=[*SIZE])
    )


BAD = {
    'no images': (without('images'), "have no list 'images'"),
    'no categories': (without('categories'), "have no list 'categories'"),
    'no annotations': (without('annotations'), "have no list 'annotations'"),
    'empty images': (dict(without('images'), images=[]), 'have no images'),
    'a list': ([], "have no list 'images'"),
    'an image without a size': (
        lacking('images', 'width'),
        "an entry of 'images' (id 1) has no 'width'",
    ),
    'an annotation without polygons': (
        lacking('annotations', 'segmentation'),
        "an entry of 'annotations' (id 100) has no 'segmentation'",
    ),
    'another image': (
        changed('annotations', image_id=5),
        'annotation 100 has image_id 5, which the file does not list',
    ),
    'another category': (
        changed('annotations', category_id=2),
        'annotation 100 has category_id 2, which',
    ),
    'categories of another data set': (
        changed('categories', id=91, name='hair brush'),
        "category 91 ('hair brush') is none of COCO's",
    ),
    'a polygon outside': (
        changed('annotations', segmentation=[square(5, 5, 90, 20)]),
        'annotation 100: a polygon reaches 30 pixels outside the image of '
        '60x40',
    ),
    'half a corner': (
        changed('annotations', segmentation=[[1, 1, 5, 1, 5, 5, 1]]),
        'annotation 100: a polygon is not x, y',
    ),
    'no polygon': (
        changed('annotations', segmentation=5),
        'annotation 100: 5 is neither polygons nor an RLE',
    ),
    'a corner that is no number': (
        changed('annotations', segmentation=[[1, 1, None, 1, 5, 5]]),
        'annotation 100: a corner of a polygon is no number',
    ),
    'an RLE without counts': (
        changed('annotations', segmentation=dict(size=[40, 60])),
        'annotation 100: its RLE has no counts',
    ),
    'an entry that is no object': (
        dict(content({1: THING}), annotations=[5]),
        "an entry of 'annotations' is 5, not an object",
    ),
    'an RLE of another size': (
        changed('annotations', segmentation=dict(counts=[9], size=[3, 3])),
        'its RLE is of size [3, 3], the image is [40, 60]',
    ),
    'an RLE of no size': (
        changed('annotations', segmentation=dict(counts=[2400], size=5)),
        'its RLE is of size 5, the image is [40, 60]',
    ),
    'an RLE that ends early': (
        rle([10, 20]),
        'annotation 100: its RLE covers 30 pixels, the image of 60x40 has '
        '2400',
    ),
    'an RLE that is too long': (
        rle([10, 20, 2371]),
        'annotation 100: its RLE covers 2401 pixels',
    ),
    'an RLE without runs': (
        rle([]),
        'annotation 100: its RLE covers 0 pixels',
    ),
    'a negative run': (
        rle([-10, 2410]),
        "annotation 100: its RLE's counts are wrong, a run of -10 pixels",
    ),
    'half a run': (
        rle([0.5, 2399.5]),
        "annotation 100: its RLE's counts are wrong, a run of 0.5 pixels",
    ),
    'a run that is no number': (
        rle([None, 2400]),
        "annotation 100: its RLE's counts are wrong, a run of None pixels",
    ),
    'counts that are a number': (
        rle(2400),
        "annotation 100: its RLE's counts are wrong, 2400 is neither a list "
        'nor a string',
    ),
    'a string of other characters': (
        rle('zzzzzz'),
        "annotation 100: its RLE's counts are wrong, 'z' is in no compressed "
        'RLE',
    ),
    'a string that breaks off': (
        rle('1P'),
        "annotation 100: its RLE's counts are wrong, the string breaks off",
    ),
    'a string that ends early': (
        rle('12'),
        'annotation 100: its RLE covers 3 pixels',
    ),
    'a negative run in a string': (
        rle('1O'),
        "annotation 100: its RLE's counts are wrong, a run of -1 pixels",
    ),
    'a corner that is too large a number': (
        changed('annotations', segmentation=[[10**400, 1, 5, 1, 5, 5]]),
        'cannot make the map of',
    ),
    'a file name that is a number': (
        changed('images', file_name=1),
        "an entry of 'images' (id 1) has file_name 1, which is not a string",
    ),
    'a height that is a string': (
        changed('images', height='40'),
        "an entry of 'images' (id 1) has height '40', which is not a whole "
        'number',
    ),
    'an id that is a list': (
        changed('images', id=[1]),
        "an entry of 'images' (id [1]) has id [1], which is not a number or "
        'a string',
    ),
    'a list of images of an annotation': (
        changed('annotations', image_id=[1]),
        "an entry of 'annotations' (id 100) has image_id [1], which is not",
    ),
    'a list of categories of an annotation': (
        changed('annotations', category_id=[1]),
        "an entry of 'annotations' (id 100) has category_id [1], which is "
        'not a number',
    ),
    'a category that is a string': (
        changed('categories', id='1'),
        "an entry of 'categories' (id 1) has id '1', which is not a number",
    ),
    'another image size': (
        changed('images', height=41),
        'it is 60x40, its annotations are of 60x41',
    ),
}


@pytest.mark.parametrize('case', BAD)
def test_bad_annotations_end_in_one_sentence(tmp_path, case, capsys):
    path = coco_tree(tmp_path, {1: THING})
    bad, sentence = BAD[case]
    path.write_text(json.dumps(bad))
    said = error(tmp_path, capsys)
    assert sentence in said
    assert str(tmp_path) in said
    assert list(tmp_path.rglob('*.png')) == []


def test_a_bad_image_among_good_ones_stops_the_workers_too(tmp_path, capsys):
    outside = thing(1, square(-9, 0, 9, 9))
    coco_tree(tmp_path, {1: THING, 2: [outside], 3: THING})
    with pytest.raises(SystemExit):
        convert(tmp_path, workers=2)
    err = capsys.readouterr().err
    assert '000000000002.jpg' in err
    assert 'reaches 9 pixels outside' in err


def test_polygons_are_cut_at_the_border_on_request(tmp_path):
    things = [thing(1, square(-9, -9, 9, 9)), thing(3, square(50, 0, 61, 5))]
    coco_tree(tmp_path, {1: things, 2: things[1:]})
    convert(tmp_path, '--outside', 'clip')
    label = made(tmp_path, 1)
    assert (label[:9, :9] == 1).all()
    assert (label == 1).sum() == 81
    # One pixel over the border is within tolerance.
    assert (made(tmp_path, 2) == 3).sum() == 50


AWAY = {
    'a tip behind the right border': [6, 6, 600, 30, 6, 34],
    'a tip above': [30, -40, 100, 30, 30, 30],
    'all corners behind one border or another': [30, -30, 95, 20, -35, 60],
    'the image lies within': [-50, -50, 150, -50, 150, 150, -50, 150],
    # What is left are two teeth that no line inside the image joins.
    'a comb': [-20, 5, 40, 5, 40, 12, -9, 12, -9, 25, 30, 33, -20, 33],
    'its sides cross': [5, -25, 50, 70, 5, 70, 50, -25],
    'nothing of it inside': [70, 50, 90, 50, 90, 70],
    'only a side of it on the border': [60, 10, 90, 10, 60, 30],
}


@pytest.mark.parametrize('case', AWAY)
@pytest.mark.parametrize('turned', [False, True])
def test_a_cut_polygon_is_that_of_a_larger_image(case, turned):
    height, width = SIZE
    corners = np.reshape(AWAY[case], (-1, 2))
    if turned:
        corners = (width, height) - corners
    polygon = thing(1, corners.ravel())
    label, _ = draw([dict(polygon, id=1)], height, width, 'clip')
    margin = 600
    moved = (corners + margin).ravel().tolist()
    large = coco_mask.frPyObjects(
        [moved], height + 2 * margin, width + 2 * margin
    )
    true = coco_mask.decode(large)[margin:-margin, margin:-margin, 0]
    # pycocotools rounds corners to 0.2 pixels, and the cut makes others.
    assert ((label == 1) != true.astype(bool)).sum() <= 8


@pytest.mark.parametrize('far', [1e9, 1e30, 1e308])
def test_a_corner_far_away_is_cut_off(far):
    things = [
        dict(thing(1, [6, 6, far, 30, 6, 34]), id=1),
        dict(thing(3, [5, 6, -far, 30, 5, 34]), id=2),
    ]
    label, _ = draw(things, *SIZE, 'clip')
    # The sides are as good as horizontal.
    assert (label[6:34, 6:] == 1).all()
    assert (label[6:34, :5] == 3).all()
    assert (label > 0).sum() == 28 * (60 - 6 + 5)


def test_an_rle_is_drawn_as_pycocotools_has_it():
    rng = np.random.default_rng(0)
    for share in (0, 0.01, 0.5, 1):
        area = rng.random(SIZE) < share
        area[:, 20:50] = area[:1, 20:50]  # long runs, too
        string = coco_mask.encode(np.asfortranarray(area, np.uint8))
        string['counts'] = string['counts'].decode()
        for shape in (string, crowd(1, area)['segmentation']):
            annotation = dict(id=1, category_id=1, segmentation=shape)
            label, _ = draw([annotation], *SIZE)
            assert ((label == 1) == area).all()


def test_missing_images(tmp_path, capsys):
    path = coco_tree(tmp_path, {1: THING, 2: THING, 3: THING})
    (tmp_path / 'train2017' / f'{2:012d}.jpg').unlink()
    sentence = error(tmp_path, capsys)
    assert f"1 of 3 images of '{path}' are missing" in sentence
    assert "such as '000000000002.jpg'" in sentence
    convert(tmp_path, '--only-present')
    assert '2 maps made' in capsys.readouterr().out
    for path in (tmp_path / 'train2017').iterdir():
        path.unlink()
    sentence = error(tmp_path, capsys, '--only-present')
    assert '3 of 3 images' in sentence


def test_as_a_command(tmp_path):
    coco_tree(tmp_path, {1: THING})
    tool = TOOLS / 'dataset_converters/coco_semantic.py'
    code, output = call(sys.executable, tool, tmp_path, '--workers', 1)
    assert code == 0, output
    assert '1 maps made, 0 were there' in output
    assert made(tmp_path, 1).any()


def test_without_pycocotools_it_says_what_to_install(
    tmp_path, monkeypatch, capsys
):
    coco_tree(tmp_path, {1: THING})
    module = 'mmseg_video.datasets.converters.coco_semantic.coco_mask'
    monkeypatch.setattr(module, None)
    assert 'pip install pycocotools' in error(tmp_path, capsys)
