"""JSON of a stranger, or of a disk with surprises."""

import pytest

from mmseg_video.io.json_files import read_object


def test_an_object_or_one_sentence(tmp_path):
    path = tmp_path / 'x.json'
    path.write_text('{"a": 1}')
    assert read_object(path, 'remove it') == {'a': 1}
    for content, says in (
        (b'{"a', 'is no JSON .*: remove it'),
        (b'', 'is no JSON .*: remove it'),
        (bytes(range(256)), 'is no JSON .*: remove it'),
        (b'[1]', 'holds a list, an object is expected: remove it'),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=rf"x\.json' {says}") as error:
            read_object(path, 'remove it')
        assert '\n' not in str(error.value)
