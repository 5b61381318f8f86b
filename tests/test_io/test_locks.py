"""Folders that one job at a time writes to."""

import multiprocessing

import pytest

from mmseg_video.io.locks import FolderLock

FORK = multiprocessing.get_context('fork')


def _hold(folder, how, ready, end):
    lock = FolderLock(folder)
    getattr(lock, how)()
    ready.set()
    end.wait(30)


def start(folder, how):
    """Another process that holds the folder, or holds it too."""
    ready, end = FORK.Event(), FORK.Event()
    process = FORK.Process(target=_hold, args=(folder, how, ready, end))
    process.start()
    assert ready.wait(30)
    return process


def test_one_job_at_a_time(tmp_path):
    folder = tmp_path / 'new'
    first, second = start(folder, 'take'), start(folder, 'join')
    said = f"'{folder}' is in use by another command .process {first.pid} on"
    mine = FolderLock(folder)
    with pytest.raises(RuntimeError, match=said):
        mine.take()
    # As long as one of its processes is there, however they end.
    first.kill()
    first.join()
    with pytest.raises(RuntimeError, match='or take another --out'):
        mine.take()
    second.kill()
    second.join()
    mine.take()
    mine.release()


def test_twice_in_one_process(tmp_path):
    with FolderLock(tmp_path):
        other = FolderLock(tmp_path / '.', 'training', '--work-dir')
        with pytest.raises(RuntimeError, match=r'training .*--work-dir'):
            other.take()
        other.release()
        with pytest.raises(RuntimeError, match='in use'):
            other.take()
    other.take()
    other.release()


def test_what_a_job_forks_does_not_hold_its_folder(tmp_path):
    """A loader's workers outlive a training that is killed by seconds."""
    lock = FolderLock(tmp_path)
    lock.take()
    end = FORK.Event()
    worker = FORK.Process(target=end.wait, args=(30,))
    worker.start()
    lock.release()
    start(tmp_path, 'take').kill()
    assert worker.is_alive()
    end.set()
    worker.join()
