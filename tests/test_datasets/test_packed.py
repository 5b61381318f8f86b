"""Packed sets: the same samples as the tree's, or one clear sentence."""

import json
import shutil
import tarfile

import cv2
import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS

from mmseg_video.cli.pack import main as pack_command
from mmseg_video.datasets import packed
from mmseg_video.datasets.converters.pack_sequences import (
    estimate,
    make_plan,
    pack,
)
from mmseg_video.io.packs import Pack, PackError
from tests.sequences import camvid_tree, cityscapes_tree, frame, write_image

PIPELINE = [
    dict(type='LoadClip'),
    dict(type='LoadClipAnnotations'),
    dict(type='PackClipInputs'),
]
MMSEGS = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadRefFrames'),
    *PIPELINE[1:],
]


@pytest.fixture(autouse=True)
def _forget():
    packed.open_pack.cache_clear()
    packed._root_of.cache_clear()
    yield
    packed.open_pack.cache_clear()
    packed._root_of.cache_clear()


@pytest.fixture(scope='module')
def tree(tmp_path_factory):
    return cityscapes_tree(tmp_path_factory.mktemp('tree'))


@pytest.fixture(scope='module')
def made(tree, tmp_path_factory):
    """The tree, packed for clips of three frames, in several shards."""
    init_default_scope('mmseg')
    out = tmp_path_factory.mktemp('packed') / 'set'
    plan = make_plan([cityscapes(tree)], 'as-is', 400)
    assert len(plan.shards) > 2
    written, size = pack(plan, out, estimate(plan, 1)['bytes'], 2)
    assert written == len(plan.shards)
    assert size == sum(f.stat().st_size for f in out.glob('*.tar'))
    return out


@pytest.fixture
def copy(made, tmp_path):
    return shutil.copytree(made, tmp_path / 'copy')


def cityscapes(root, **kwargs):
    return DATASETS.build(
        {
            'type': 'CityscapesSequenceDataset',
            'data_root': str(root),
            'num_frames': 3,
            'pipeline': PIPELINE,
            **kwargs,
        }
    )


def assert_same(dataset, other):
    assert len(dataset) == len(other) > 0
    for ours, theirs in zip(dataset, other, strict=True):
        assert torch.equal(ours['inputs'], theirs['inputs'])
        labels = [s['data_samples'].gt_sem_seg.data for s in (ours, theirs)]
        assert torch.equal(*labels)


@pytest.mark.parametrize('pipeline', [PIPELINE, MMSEGS])
def test_samples_are_the_trees(tree, made, pipeline):
    ours = cityscapes(made, pipeline=pipeline)
    assert ours[0]['data_samples'].img_path.startswith('pack://')
    assert_same(ours, cityscapes(tree))
    # Fewer frames than were packed are there too.
    assert_same(cityscapes(made, num_frames=2), cityscapes(tree, num_frames=2))


def test_only_what_clips_need_in_tars_that_anyone_reads(made):
    names = []
    for path in sorted(made.glob('*.tar')):
        with tarfile.open(path) as tar:
            names += tar.getnames()
    # Three snippets: two ref frames, the key frame and its label.
    assert len(names) == len(set(names)) == 3 * 4
    assert sorted(Pack(made).entries) == sorted(names)


def test_jpeg_loses_little_and_leaves_labels(tree, tmp_path):
    plan = make_plan([cityscapes(tree)], 'jpeg', 2**20)
    out = tmp_path / 'jpeg'
    pack(plan, out, 1, 1)
    ours, theirs = cityscapes(out)[1], cityscapes(tree)[1]
    difference = ours['inputs'].int() - theirs['inputs'].int()
    assert 0 < difference.abs().max() < 8
    with tarfile.open(out / 'shard-000000.tar') as tar:
        suffixes = sorted(name[-4:] for name in tar.getnames())
    assert suffixes == ['.jpg'] * 9 + ['.png'] * 3
    with pytest.raises(PackError, match='format="jpeg", "png" is asked'):
        pack(make_plan([cityscapes(tree)], 'png', 2**20), out, 1, 1)


def test_png_is_coded_again_and_loses_nothing(tree, made, tmp_path):
    out = tmp_path / 'png'
    pack(make_plan([cityscapes(tree)], 'png', 2**20), out, 1, 1)
    assert_same(cityscapes(out), cityscapes(tree))
    ours, as_is = Pack(out), Pack(made)
    coded = [ours.read(p) != as_is.read(p) for p in ours.entries]
    labels = [p for p in ours.entries if p.startswith('gtFine')]
    assert sum(coded) == len(coded) - len(labels)


def test_a_stopped_run_goes_on(tree, made, copy):
    lost = copy / 'shard-000001.json'
    lost.unlink()
    with pytest.raises(PackError, match=r'not finished: \d+ of \d+ shards'):
        cityscapes(copy)
    packed.open_pack.cache_clear()
    plan = make_plan([cityscapes(tree)], 'as-is', 400)
    assert pack(plan, copy, 1, 1)[0] == 1
    assert lost.read_text() == (made / lost.name).read_text()
    assert pack(plan, copy, 1, 1) == (0, 0)
    assert_same(cityscapes(copy), cityscapes(tree))


def test_other_frames_than_were_packed_are_refused(made):
    with pytest.raises(
        ValueError, match=r"has the 2 frames .*train', 4 \(num_frames"
    ):
        cityscapes(made, num_frames=3, frame_interval=2)
    with pytest.raises(
        ValueError, match=r"'stream' is asked for: pack it with --stream"
    ):
        cityscapes(made, num_frames=1, mode='stream')


def test_a_stream_and_clips_of_it(tree, tmp_path):
    stream = dict(num_frames=1, mode='stream')
    out = tmp_path / 'stream'
    pack(make_plan([cityscapes(tree, **stream)], 'as-is', 2**20), out, 1, 1)
    assert_same(cityscapes(out, **stream), cityscapes(tree, **stream))
    assert_same(cityscapes(out, num_frames=5), cityscapes(tree, num_frames=5))


def test_a_shard_that_is_cut_or_flipped_is_named(copy, capsys):
    tar = copy / 'shard-000001.tar'
    whole = tar.read_bytes()
    tar.write_bytes(whole[:-700])
    with pytest.raises(PackError, match=r"shard-000001\.tar' has \d+ bytes"):
        cityscapes(copy)
    packed.open_pack.cache_clear()
    packs = Pack(copy)
    tar.write_bytes(whole)
    entry = next(e for e in packs.entries.values() if e.shard == tar.stem)
    at = entry.offset + entry.size // 2
    flipped = bytes([whole[at] ^ 1])
    tar.write_bytes(whole[:at] + flipped + whole[at + 1 :])
    with pytest.raises(PackError, match=r"shard-000001\.tar' is damaged"):
        list(cityscapes(copy))
    with pytest.raises(SystemExit):
        pack_command(['--out', str(copy), '--check'])
    assert '1 of 12 files are damaged' in capsys.readouterr().err
    tar.unlink()
    with pytest.raises(PackError, match=r"no shard '.*shard-000001\.tar'"):
        Pack(copy).entries  # noqa: B018


@pytest.mark.parametrize('name', ['pack.json', 'shard-000000.json'])
def test_an_index_that_is_damaged_is_named(copy, name):
    text = (copy / name).read_text()
    for broken in ('', text[: len(text) // 2], '{}'):
        (copy / name).write_text(broken)
        with pytest.raises(PackError, match=rf"{name}' is damaged"):
            Pack(copy).entries  # noqa: B018


def test_a_newer_version_is_refused(copy):
    settings = json.loads((copy / 'pack.json').read_text())
    (copy / 'pack.json').write_text(json.dumps(dict(settings, version=2)))
    with pytest.raises(PackError, match='of version 2'):
        Pack(copy)


def test_loose_files_beside_packed_ones(tree, copy):
    # A snippet that is not packed, and a label that was made again.
    label = 'train/aachen/aachen_000000_000019_gtFine_labelTrainIds.png'
    for prefix, other in (
        ('leftImg8bit', 'leftImg8bit'),
        ('gtFine', 'gtFine_labelTrainIds'),
        *[('leftImg8bit_sequence', 'leftImg8bit')] * 2,
    ):
        for number in (17, 18, 19):
            write_image(
                copy / prefix / 'train/bonn'
                f'/bonn_000000_{number:06d}_{other}.png',
                frame(number) if 'gt' not in prefix else frame(0)[..., 0],
            )
    for number in (17, 18):
        (
            copy / 'gtFine/train/bonn'
            f'/bonn_000000_{number:06d}_gtFine_labelTrainIds.png'
        ).unlink()
    mixed = cityscapes(copy)
    assert len(mixed) == 4
    assert {tuple(s['inputs'].shape) for s in mixed} == {(3, 3, 16, 32)}
    # A loose file in the place of a packed one: which is meant?
    write_image(copy / 'gtFine' / label, np.eye(16, 32, dtype=np.uint8))
    with pytest.raises(PackError, match='is loose in the folder'):
        list(cityscapes(copy))


def test_a_tree_that_changed_since_is_refused(tmp_path):
    tree, out = cityscapes_tree(tmp_path / 'tree'), tmp_path / 'out'
    plan = make_plan([cityscapes(tree)], 'as-is', 2**20)
    pack(plan, out, 1, 1)
    write_image(tree / plan.files[3], np.full((16, 32, 3), 7, np.uint8))
    plan = make_plan([cityscapes(tree)], 'as-is', 2**20)
    with pytest.raises(PackError, match=f"changed since .*'{plan.files[3]}'"):
        pack(plan, out, 1, 1)


def test_a_missing_frame_ends_it_before_anything_is_written(tmp_path):
    tree = cityscapes_tree(tmp_path / 'tree')
    next(tree.rglob('*sequence/*/*/aachen_000000_000018*')).unlink()
    with pytest.raises(FileNotFoundError, match=r'000018.*one of 1 that'):
        make_plan([cityscapes(tree)], 'as-is', 2**20)
    plan = make_plan([cityscapes(tree, missing='repeat')], 'as-is', 2**20)
    pack(plan, tmp_path / 'out', 1, 1)
    ours = cityscapes(tmp_path / 'out', missing='repeat')
    assert_same(ours, cityscapes(tree, missing='repeat'))


@pytest.mark.parametrize('format', ['as-is', 'png', 'jpeg'])
@pytest.mark.parametrize(
    ('pattern', 'change', 'says'),
    [
        ('*sequence/*/*/*_000018_*', lambda i: i.astype('u2'), '16-bit colou'),
        ('leftImg8bit/*/*/*', lambda i: i[..., 0], '8-bit grey'),
        ('leftImg8bit/*/*/*', None, 'breaks off'),
        ('*/*/*/*labelTrainIds*', None, 'breaks off'),
    ],
)
def test_what_no_training_would_take_is_not_packed(
    format, pattern, change, says, tmp_path
):
    tree = cityscapes_tree(tmp_path / 'tree')
    path = sorted(tree.glob(pattern))[0]
    if change is None:
        path.write_bytes(path.read_bytes()[:-20])
    else:
        write_image(path, change(cv2.imread(str(path))))
    plan = make_plan([cityscapes(tree)], format, 2**20)
    with pytest.raises((OSError, ValueError), match=says) as error:
        pack(plan, tmp_path / 'out', 1, 1)
    assert path.name in str(error.value)
    assert not list((tmp_path / 'out').glob('*.tar'))


def test_a_disk_that_is_full_is_seen_before(tree, tmp_path):
    plan = make_plan([cityscapes(tree)], 'as-is', 2**20)
    with pytest.raises(OSError, match=r'needed: make room.*--format jpeg'):
        pack(plan, tmp_path / 'out', 2**60, 1)
    assert not list((tmp_path / 'out').iterdir())


def test_camvid_whose_frames_are_counted(tmp_path):
    tree = camvid_tree(tmp_path / 'tree', '.jpg')
    kwargs = dict(
        type='CamVidSequenceDataset', num_frames=3, pipeline=PIPELINE
    )
    loose = DATASETS.build(dict(kwargs, data_root=str(tree)))
    pack(make_plan([loose], 'jpeg', 2**20), tmp_path / 'out', 1, 1)
    ours = DATASETS.build(dict(kwargs, data_root=str(tmp_path / 'out')))
    assert_same(ours, loose)  # a JPEG is never coded twice


def test_the_command(tree, tmp_path, capsys):
    config = tmp_path / 'config.py'
    config.write_text(
        "model = dict(type='RecurrentUNet')\n"
        'train_dataloader = dict(dataset=dict('
        "type='CityscapesSequenceDataset', num_frames=1, "
        f'pipeline={PIPELINE!r}))\n'
    )
    out = tmp_path / 'out'
    command = [
        *(str(config), '--out', str(out), '--splits', 'train'),
        *('--data-root', str(tree), '--num-frames', '3', '--workers', '2'),
    ]
    pack_command([*command, '--dry-run'])
    said = capsys.readouterr().out
    assert '9 frames and 3 labels' in said
    assert '84 other files' in said
    assert not out.exists()
    pack_command(command)
    assert '1 shards written' in capsys.readouterr().out
    pack_command(['--check', '--out', str(out)])
    assert 'all 12 files' in capsys.readouterr().out
    assert_same(cityscapes(out), cityscapes(tree))
    packs = [command[0], '--out', str(tmp_path / 'b'), '--splits', 'train']
    with pytest.raises(SystemExit):
        pack_command([*packs, '--data-root', str(out)])
    assert f"'{out}' is packed already" in capsys.readouterr().err
