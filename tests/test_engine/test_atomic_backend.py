import os

import pytest

from mmseg_video.engine import AtomicLocalBackend


def test_put_replaces_the_whole_file(tmp_path):
    path = tmp_path / 'new' / 'x.pth'
    AtomicLocalBackend().put(b'old', path)
    AtomicLocalBackend().put(b'new', path)
    assert path.read_bytes() == b'new'
    assert os.listdir(path.parent) == ['x.pth']


def test_a_write_that_breaks_off_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / 'x.pth'
    AtomicLocalBackend().put(b'old', path)

    def broken(_):
        raise OSError('disk full')

    monkeypatch.setattr(os, 'fsync', broken)
    with pytest.raises(OSError, match='disk full'):
        AtomicLocalBackend().put(b'newer', path)
    assert path.read_bytes() == b'old'
    assert os.listdir(tmp_path) == ['x.pth']
