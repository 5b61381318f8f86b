import pytest
import torch

from mmseg_video.engine.checkpoints import (
    check_checkpoint,
    find_last_checkpoint,
)


def save(path, whole=True, **kwargs):
    parts = dict(meta={}, message_hub={}, optimizer={})
    weights = dict(weight=torch.zeros(100))
    torch.save(dict(parts, state_dict=weights), path, **kwargs)
    if not whole:
        path.write_bytes(path.read_bytes()[:500])
    return str(path)


def test_the_last_by_number(tmp_path):
    assert find_last_checkpoint(tmp_path) is None
    save(tmp_path / 'iter_9.pth')
    last = save(tmp_path / 'iter_10.pth')
    save(tmp_path / 'best_mIoU_iter_20.pth')
    assert find_last_checkpoint(tmp_path) == last


def test_one_that_was_cut_short_is_passed_over(tmp_path):
    whole = save(tmp_path / 'iter_9.pth')
    (tmp_path / 'iter_11.pth').touch()
    save(tmp_path / 'iter_10.pth', whole=False)
    assert find_last_checkpoint(tmp_path) == whole


def test_all_cut_short(tmp_path):
    save(tmp_path / 'iter_1.pth', whole=False)
    with pytest.raises(ValueError, match='is damaged: remove'):
        find_last_checkpoint(tmp_path)


def test_check(tmp_path):
    check_checkpoint(save(tmp_path / 'new.pth'))
    old = save(tmp_path / 'old.pth', _use_new_zipfile_serialization=False)
    check_checkpoint(old)
    check_checkpoint('https://download.openmmlab.com/some.pth')
    with pytest.raises(FileNotFoundError, match=r"no checkpoint 'none.pth'"):
        check_checkpoint('none.pth')
    (tmp_path / 'video.mp4').write_bytes(bytes(200))
    with pytest.raises(ValueError, match=r"video\.mp4' is no checkpoint"):
        check_checkpoint(tmp_path / 'video.mp4')
    with pytest.raises(ValueError, match=r"cut\.pth' is cut short"):
        check_checkpoint(save(tmp_path / 'cut.pth', whole=False))
