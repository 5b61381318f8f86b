"""What the README says exists and works."""

import re
from pathlib import Path

import mmseg
import torch
from mmengine import Config
from mmseg.registry import MODELS

from mmseg_video.engine.launch import revert_sync_bn

ROOT = Path(__file__).parents[1]
README = (ROOT / 'README.md').read_text()
CONFIGS = sorted(p.stem for p in (ROOT / 'configs').glob('*.py'))


def test_every_config_has_its_row():
    named = set(re.findall(r'`([\w-]+)\.py`', README))
    named |= {f'{n}_cityscapes' for n in re.findall(r'`(\w+)_…`', README)}
    assert set(CONFIGS) <= named


def test_every_path_exists():
    paths = set(
        re.findall(
            r'\b((?:configs|tools|demo)/[\w./]+\.(?:py|sh|gif))', README
        )
    )
    paths |= {
        path
        for path in re.findall(r'\]\(([^)#]+)\)', README)
        if '://' not in path
    }
    assert len(paths) > 10
    missing = [p for p in paths if not (ROOT / p).exists()]
    assert missing == []


def test_every_link_within_has_its_heading():
    headings = {
        re.sub(r'[^\w -]', '', line).strip().lower().replace(' ', '-')
        for line in re.findall(r'^#+ (.*)$', README, re.M)
    }
    links = re.findall(r'\]\(#([^)]+)\)', README)
    assert links
    assert set(links) <= headings


@torch.no_grad()
def test_any_mmseg_model_becomes_recurrent(tmp_path):
    section = README.split('## Make any mmseg model recurrent')[1]
    code = re.search(r'```python\n(.*?)```', section, re.S)[1]
    assert len(code.splitlines()) <= 8
    code = code.replace(
        '/path/to/mmsegmentation', f'{Path(mmseg.__file__).parent}/.mim'
    ).replace("'./_base_", f"'{ROOT}/configs/_base_")
    path = tmp_path / 'config.py'
    path.write_text(code)
    cfg = Config.fromfile(path)
    revert_sync_bn(cfg.model)
    cfg.model.pretrained = None
    model = MODELS.build(cfg.model).eval()
    assert type(model.decode_head).__name__ == 'DepthwiseSeparableASPPHead'
    (sample,) = model.predict(torch.randn(1, 3, 3, 64, 64))
    assert sample.seg_logits.shape == (64, 64)
    first, states = model.step(torch.randn(1, 3, 64, 64))
    assert first.shape == (1, 19, 64, 64)
    assert len(states) == 4


def test_the_config_for_vspw(tmp_path):
    section = README.split('### VSPW')[1]
    code = re.search(r'```python\n(.*?)```', section, re.S)[1]
    path = tmp_path / 'config.py'
    path.write_text(code.replace("'./rnn", f"'{ROOT}/configs/rnn"))
    cfg = Config.fromfile(path)
    data = cfg.train_dataloader.dataset
    assert (data.type, data.num_frames) == ('VSPWSequenceDataset', 5)
    assert set(data.data_prefix) == {'img_path', 'seg_map_path'}
    assert cfg.test_dataloader.dataset.ann_file == 'val.txt'
