"""Every kind of bad input ends in one sentence, and leaves nothing behind."""

import functools
import logging
import re
import runpy
import sys

import pytest

from mmseg_video.cli import main as command
from tests.bad_input import DOC, KINDS, Files, table
from tests.commands import ROOT


@pytest.mark.parametrize('kind', KINDS, ids=lambda k: f'{k.group}: {k.name}')
def test_one_sentence(kind, root, framewise, tmp_path, monkeypatch, capfd):
    arguments = kind.command(Files(root, framewise, tmp_path))
    argv, run = ['mmseg-video', *arguments], command.main
    if arguments[0] == 'onnx':
        argv = ['onnx_demo.py', 'video', arguments[1], '--out', 'out.mp4']
        path = str(ROOT / 'demo/onnx_demo.py')
        run = functools.partial(runpy.run_path, path, None, '__main__')
    monkeypatch.setattr(sys, 'argv', [str(part) for part in argv])
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv('MMSEG_VIDEO_DEBUG', raising=False)
    # Of a logger that still has the stream of another test.
    monkeypatch.setattr(logging, 'raiseExceptions', False)
    with pytest.raises(SystemExit) as end:
        run()
    output, errors = capfd.readouterr()
    code = end.value.code
    if isinstance(code, str):  # printed when the interpreter ends
        errors += code
    last = errors.strip().splitlines()[-1]
    assert code
    assert 'error: ' in last
    assert re.search(kind.says, last), last
    assert 'Traceback' not in output + errors
    # Nothing half-written; what is kept of a video is said.
    left = {path.name for path in tmp_path.rglob('.*')} - {'.lock'}
    assert not left
    kept = (tmp_path / 'out.mp4').exists()
    assert kept == ('frames before are in' in last)


def test_the_table_in_the_docs_is_of_these_kinds():
    """python -m tests.bad_input writes it."""
    assert table() in DOC.read_text()


def test_names_are_one_each():
    assert len({(k.group, k.name) for k in KINDS}) == len(KINDS)
