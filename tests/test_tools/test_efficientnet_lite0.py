"""The converter of ImageNet weights, on random weights."""

import timm
import torch
from mmengine import Config
from mmseg.registry import MODELS

from mmseg_video.engine.launch import revert_sync_bn
from tests.commands import ROOT, TOOLS

CONVERTER = TOOLS / 'model_converters/efficientnet_lite0.py'


def test_the_encoder_loads_what_is_written(run_tool, tmp_path):
    torch.manual_seed(0)
    source = timm.create_model('tf_efficientnet_lite0', pretrained=False)
    # Other names in the same order, as the package has them.
    weights = {f'w{i}': v for i, v in enumerate(source.state_dict().values())}
    torch.save(weights, tmp_path / 'package.pth')
    out = tmp_path / 'encoder.pth'
    code, output = run_tool(
        CONVERTER, out, '--weights', tmp_path / 'package.pth'
    )
    assert code == 0, output[-2000:]
    cfg = Config.fromfile(ROOT / 'configs/unet_camvid.py')
    revert_sync_bn(cfg.model)
    cfg.model.backbone.init_cfg = dict(type='Pretrained', checkpoint=str(out))
    model = MODELS.build(cfg.model)
    model.init_weights()
    ours = model.backbone.timm_model.state_dict()
    theirs = source.state_dict()
    assert len(ours) > 200
    for name, value in ours.items():
        torch.testing.assert_close(value, theirs[name], msg=name)


def test_other_weights_are_refused(run_tool, tmp_path):
    torch.save({'conv.weight': torch.zeros(3)}, tmp_path / 'other.pth')
    out = tmp_path / 'encoder.pth'
    code, output = run_tool(
        CONVERTER, out, '--weights', tmp_path / 'other.pth'
    )
    assert code == 1
    assert 'other.pth' in output.strip().splitlines()[-1]
    assert not out.exists()
