"""mmseg-video check-data: one report, and a cheap check before training."""

import shutil

import cv2
import numpy as np
import pytest

from mmseg_video.apis.check_data import check_before_training, check_data
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


def test_before_a_training_few_files_are_read(root, tmp_path, monkeypatch):
    cfg = config('unet', root, tmp_path)
    read = []
    original = cv2.imdecode
    monkeypatch.setattr(
        cv2, 'imdecode', lambda *a: (read.append(1), original(*a))[1]
    )
    check_before_training(cfg)
    assert 0 < len(read) <= 4 * 8
