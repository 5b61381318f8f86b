import pytest
import torch
from mmengine.registry import init_default_scope

import mmseg_video  # noqa: F401, registers

torch.set_num_threads(2)


@pytest.fixture(autouse=True)
def _mmseg_scope():
    init_default_scope('mmseg')
