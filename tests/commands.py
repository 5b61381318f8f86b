"""How tests type commands."""

import importlib.util
import os
import runpy
import subprocess
import sys
from contextlib import redirect_stderr
from pathlib import Path

from mmengine.logging import MessageHub, MMLogger
from mmengine.visualization import Visualizer

from mmseg_video.experiments.follow import ToolError
from tests.runs import options

ROOT = Path(__file__).parents[1]
TOOLS = ROOT / 'tools'


def call(*command, **environment):
    """Exit status and output of a command."""
    result = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHONWARNINGS': 'ignore', **environment},
        timeout=300,
    )
    return result.returncode, result.stdout + result.stderr


def load_tool(name):
    """The module of tools/NAME.py, whose main() runs in this process."""
    spec = importlib.util.spec_from_file_location(name, TOOLS / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tiny(root):
    """--cfg-options of a tiny framewise street config."""

    def text(value):
        if isinstance(value, list):
            return '[' + ','.join(map(str, value)) + ']'
        return value

    pairs = [f'{k}={text(v)}' for k, v in options(root).items()]
    return ['--cfg-options', *pairs]


def call_here(path, *arguments):
    """Exit status of a tool that runs in this process, as if in one of its
    own: that saves the seconds of a start."""
    argv, sys.argv = sys.argv, [str(path), *map(str, arguments)]
    try:
        runpy.run_path(str(path), run_name='__main__')
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
            return 1
        return end.code or 0
    finally:
        sys.argv = argv
        forget_instances()
    return 0


def forget_instances():
    """Of MMEngine, as in a new process: it keeps loggers, with the streams
    that they write to, and others by names that end in the second."""
    for kind in (MMLogger, MessageHub, Visualizer):
        for one in (kind, *kind.__subclasses__()):
            one._instance_dict.clear()


def follow_here(title, call, log, *_):
    """Follow a tool of ours without the seconds that a process takes."""
    with open(log, 'a') as file, redirect_stderr(file):
        code = call_here(*call[1:])
    if code:
        raise ToolError(
            f"'{title}' failed, its log is {log}",
            log.read_text().splitlines()[-1:],
        )
