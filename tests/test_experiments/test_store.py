"""What says that something is done, and what does not."""

import os

from mmseg_video.experiments.store import Marker, Store, hash_of_file


def test_only_what_its_own_key_left_is_done(tmp_path):
    path = tmp_path / 'new folder/it.done'
    marker = Marker(path, 'key')
    assert marker.read() == {}
    marker.write(seconds=1.5)
    assert marker.read()['seconds'] == 1.5
    assert Marker(path, 'other').read() == {}
    marker.write()
    assert marker.read()
    for broken in ('', '{"key": "ke', '[1]', 'null', '{}'):
        path.write_text(broken)
        assert marker.read() == {}


def test_a_result_is_found_once(tmp_path):
    store, found = Store(tmp_path / 'store'), []

    def find():
        found.append(1)
        return dict(seconds=2.0)

    what = dict(model=dict(type='UNet', levels=[1, 2]), size=(64, 128))
    assert store.get(what) is None
    for _ in range(2):
        assert store.once(what, find) == dict(seconds=2.0)
    assert len(found) == 1
    again = Store(tmp_path / 'store')
    assert again.get(dict(reversed(what.items()))) == dict(seconds=2.0)
    assert again.get(dict(what, size=(64, 129))) is None
    (path,) = (tmp_path / 'store').iterdir()
    path.write_text(path.read_text()[:40])  # cut short
    store.once(what, find)
    assert len(found) == 2


def test_a_file_is_known_by_its_content(tmp_path):
    path = tmp_path / 'a.pth'
    path.write_bytes(b'one')
    first = hash_of_file(str(path))
    (tmp_path / 'b.pth').write_bytes(b'one')
    assert hash_of_file(str(tmp_path / 'b.pth')) == first
    path.write_bytes(b'two')
    later = path.stat().st_mtime + 10
    os.utime(path, (later, later))
    assert hash_of_file(str(path)) != first
    assert hash_of_file('https://a/b.pth') != hash_of_file('https://a/c.pth')
