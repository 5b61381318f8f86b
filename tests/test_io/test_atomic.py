"""Files are replaced whole, and nothing but files."""

import os

import numpy as np
import pytest

from mmseg_video.io.atomic import write_text
from mmseg_video.io.writers import open_writer


@pytest.mark.parametrize('kind', ['pipe', 'folder', 'loop', 'to a pipe'])
def test_what_is_no_file_is_left_as_it_is(kind, tmp_path):
    """As root, /dev/null could be replaced."""
    path = tmp_path / 'out.json'
    if kind == 'folder':
        path.mkdir()
    elif kind == 'loop':
        path.symlink_to(path)
    elif kind == 'pipe':
        os.mkfifo(path)
    else:
        os.mkfifo(tmp_path / 'pipe')
        path.symlink_to(tmp_path / 'pipe')
    before = os.lstat(path)
    with pytest.raises(OSError, match='name a file to write'):
        write_text(path, 'text')
    assert os.lstat(path) == before
    assert len(list(tmp_path.iterdir())) == 1 + (kind == 'to a pipe')


def test_a_link_stays_and_its_file_is_replaced(tmp_path):
    target, link = tmp_path / 'there/file.txt', tmp_path / 'link.txt'
    target.parent.mkdir()
    target.write_text('old')
    link.symlink_to(target)
    write_text(link, 'new')
    assert link.is_symlink()
    assert target.read_text() == 'new'
    # One that leads to what is not there yet makes it.
    target.unlink()
    write_text(link, 'again')
    assert target.read_text() == 'again'


def test_a_video_does_not_replace_a_pipe(tmp_path):
    path = tmp_path / 'out.gif'
    os.mkfifo(path)
    with (
        pytest.raises(OSError, match='name a file to write'),
        open_writer(path, 10) as writer,
    ):
        writer.write(np.zeros((4, 4, 3), np.uint8))
    assert path.is_fifo()
    assert list(tmp_path.iterdir()) == [path]
