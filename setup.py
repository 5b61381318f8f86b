"""The settings are in setup.cfg; this adds what OpenMMLab's tools look for.

A wheel holds configs, tools, demos and the published weights in
``mmseg_video/.mim``. A clone, and an editable install of it, read its own.
"""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
# What makes the environment of a clone, or is about its code and results.
CLONE_ONLY = (
    *('env.sh', 'run_tests.sh', 'quickstart.sh', 'build_docs.sh'),
    *('build_notebook.sh', 'build_report.sh', 'report_tables.py'),
    'reproduce.sh',
)
SHIPPED = (
    'model-index.yml',
    *('configs/**/*.py', 'configs/**/*.yml', 'configs/**/*.md'),
    *('tools/**/*.py', 'tools/*.sh', 'demo/*.py'),
    *('work_dirs/checkpoints/*.pth', 'work_dirs/checkpoints/README.md'),
)


def shipped_files() -> list[Path]:
    """Relative to the root."""
    paths = {path for pattern in SHIPPED for path in ROOT.glob(pattern)}
    return sorted(
        relative
        for relative in (path.relative_to(ROOT) for path in paths)
        if relative.parts[:2] != ('tools', 'dev')
        and relative.name not in CLONE_ONLY
    )


class BuildWithShippedFiles(build_py):
    def run(self):
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib, 'mmseg_video', '.mim')
        # A build folder that was used before may hold files that are no more.
        shutil.rmtree(target, ignore_errors=True)
        for path in shipped_files():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, target / path)


setup(cmdclass={'build_py': BuildWithShippedFiles})
