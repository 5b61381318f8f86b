"""The room stands on its own."""

import sys

from tests.commands import ROOT, call


def test_it_needs_neither_torch_nor_openmmlab():
    modules = (ROOT / 'mmseg_video/io').glob('[!_]*.py')
    imports = [f'import mmseg_video.io.{path.stem}' for path in modules]
    assert len(imports) > 5
    lines = [
        *('import sys', *imports),
        "heavy = {'torch', 'mmengine', 'mmcv', 'mmseg', 'mmpretrain'}",
        'print(sorted(heavy & set(sys.modules)))',
    ]
    status, output = call(sys.executable, '-c', '\n'.join(lines))
    assert (status, output) == (0, '[]\n')
