"""mmseg-video check-data: one report, and a cheap check before training."""

import shutil

import cv2
import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS

from mmseg_video.apis.check_data import check_before_training, check_data
from mmseg_video.cli.check_data import parse_args
from mmseg_video.datasets.converters.pack_sequences import make_plan, pack
from mmseg_video.io.packs import Pack
from tests.runs import config, leaf


def test_a_report_of_all_splits(root, tmp_path):
    report = check_data(
        str(leaf('rnn_unet_street')),
        everything=True,
        workers=2,
        work_dir=str(tmp_path / 'run'),
        data_root=str(root),
    )
    written = (tmp_path / 'run/check_data.md').read_text()
    assert written in report
    assert [x for x in written.splitlines() if x.startswith('## ')] == [
        *('## train', '## val', '## test'),
    ]
    assert '| road |' in written
    # Two clips of five frames, and their labels.
    assert '2 samples, 12 files, 12 of them read' in written


def test_what_is_wrong_is_an_error_with_the_report(root, tmp_path):
    scenes = shutil.copytree(root, tmp_path / 'scenes')
    label = sorted(scenes.glob('gtFine/train/*/*.png'))[1]
    label.unlink()
    ref = sorted(scenes.glob('leftImg8bit_sequence/val/*/*_000017_*'))[0]
    image = cv2.imread(str(ref))
    cv2.imwrite(str(ref), image.astype(np.uint16) * 257)
    with pytest.raises(ValueError, match='2 things are wrong') as error:
        check_data(
            str(leaf('rnn_unet_street')),
            work_dir=str(tmp_path / 'run'),
            workers=1,
            data_root=str(scenes),
            cfg_options={'test_dataloader': None},
        )
    assert label.name in str(error.value)
    assert ref.name in (tmp_path / 'run/check_data.md').read_text()


def test_packed_data_is_looked_through_too(root, tmp_path):
    """And trained on."""
    out, spoilt = tmp_path / 'packed', tmp_path / 'spoilt'
    cfg = config('unet', root, tmp_path / 'run')
    init_default_scope('mmseg')
    datasets = [
        DATASETS.build(cfg[f'{split}_dataloader'].dataset)
        for split in ('train', 'val', 'test')
    ]
    plan = make_plan(datasets, 'as-is', 2**20)
    pack(plan, out, 1, 1)
    for split in ('train', 'val', 'test'):
        cfg[f'{split}_dataloader'].dataset.data_root = str(out)
    check_before_training(cfg)
    asked = dict(everything=True, workers=1, work_dir=str(tmp_path / 'run'))
    report = check_data(str(leaf('unet_street')), data_root=str(out), **asked)
    assert '| road |' in report
    cache = tmp_path / 'run/check_data.jsonl'
    read = len(cache.read_text().splitlines())
    check_data(str(leaf('unet_street')), data_root=str(out), **asked)
    assert len(cache.read_text().splitlines()) == read > 0
    shutil.copytree(out, spoilt)
    tar = spoilt / 'shard-000000.tar'
    content = bytearray(tar.read_bytes())
    entry = next(iter(Pack(out).entries.values()))
    content[entry.offset + entry.size // 2] ^= 1
    tar.write_bytes(content)
    with pytest.raises(ValueError, match='its checksum is another'):
        check_data(str(leaf('unet_street')), data_root=str(spoilt), **asked)


def test_before_a_training_few_files_are_read(root, tmp_path, monkeypatch):
    cfg = config('unet', root, tmp_path)
    read = []
    original = cv2.imdecode
    monkeypatch.setattr(
        cv2, 'imdecode', lambda *a: (read.append(1), original(*a))[1]
    )
    check_before_training(cfg)
    assert 0 < len(read) <= 4 * 8


def test_the_command(monkeypatch):
    argv = ['check-data', 'unet_street', '--all', '--data-root', 'data']
    monkeypatch.setattr('sys.argv', argv)
    args = parse_args()
    assert (args.everything, args.data_root, args.samples) == (
        *(True, 'data', 200),
    )
