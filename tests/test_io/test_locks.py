"""Folders that one job at a time writes to."""

import pytest

from mmseg_video.io.locks import FolderLock


def test_one_job_at_a_time(tmp_path):
    path = tmp_path / 'new/lock'
    first, second, other = (FolderLock(path) for _ in range(3))
    first.take()
    second.join()
    with pytest.raises(RuntimeError, match=f"at work in '{path.parent}'"):
        other.take()
    other.release()
    first.release()
    # As long as one of its processes is there.
    with pytest.raises(RuntimeError, match='another run'):
        other.take()
    other.release()
    second.release()
    other.take()
    other.release()
