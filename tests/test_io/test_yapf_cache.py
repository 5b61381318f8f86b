"""Processes that start together share yapf's cache."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from mmseg_video.io import yapf_cache
from tests.commands import ROOT

IMPORT = 'from mmseg_video.io.yapf_cache import import_yapf; import_yapf()'


def start(cache: Path) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, '-c', IMPORT],
        env={**os.environ, 'XDG_CACHE_HOME': str(cache)},
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


@pytest.fixture
def cached(tmp_path):
    """The cache of the grammar, as yapf has written it."""
    assert start(tmp_path).wait() == 0
    (path,) = tmp_path.glob('YAPF/*/Grammar*.pickle')
    return path


def test_a_cache_that_is_being_written_is_read_again(monkeypatch):
    broken = [EOFError(), pickle.UnpicklingError()]
    asked = []

    def importing(name):
        asked.append(name)
        if broken:
            raise broken.pop()

    monkeypatch.setattr(yapf_cache.importlib, 'import_module', importing)
    monkeypatch.setattr(yapf_cache, 'WAIT', 0)
    yapf_cache.import_yapf()
    assert asked == ['yapf.yapflib.yapf_api'] * 3


@pytest.mark.parametrize('left', [0, 100])
def test_one_that_stays_broken_is_named(cached, tmp_path, left):
    cached.write_bytes(cached.read_bytes()[:left])
    process = start(tmp_path)
    _, errors = process.communicate()
    assert process.returncode == 1
    assert 'delete the folder YAPF' in errors.splitlines()[-1]
