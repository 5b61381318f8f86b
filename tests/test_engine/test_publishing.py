import hashlib

import pytest
import torch

from mmseg_video.engine.publishing import publish
from mmseg_video.engine.weights import read_checkpoint


def training(path, **weights):
    torch.save(
        dict(
            meta=dict(iter=7, seed=0, cfg="work_dir = '/home/me'"),
            state_dict=dict(
                {
                    'conv.weight': torch.randn(2, 3),
                    'norm.count': torch.ones(1).long(),
                },
                **weights,
            ),
            optimizer=dict(state={}),
        ),
        path,
    )
    return str(path)


def test_only_weights_are_published(tmp_path):
    out = tmp_path / 'out.pth'
    digest = publish(training(tmp_path / 'in.pth'), out)
    assert digest == hashlib.sha256(out.read_bytes()).hexdigest()
    got, was = read_checkpoint(out), read_checkpoint(str(tmp_path / 'in.pth'))
    assert got.keys() == {'meta', 'state_dict'}
    assert got['meta'] == dict(iter=7, seed=0)
    weight = got['state_dict']['conv.weight']
    assert weight.dtype == torch.float16
    assert torch.equal(weight, was['state_dict']['conv.weight'].half())
    assert got['state_dict']['norm.count'].dtype == torch.int64


@pytest.mark.parametrize('value', [float('nan'), 1e6])
def test_what_half_precision_cannot_hold_is_refused(value, tmp_path):
    path = training(tmp_path / 'in.pth', bad=torch.tensor([value]))
    with pytest.raises(ValueError, match="'bad' has values that are not"):
        publish(path, tmp_path / 'out.pth')
    assert not (tmp_path / 'out.pth').exists()


def test_nothing_is_overwritten(tmp_path):
    out = tmp_path / 'out.pth'
    out.write_text('mine')
    with pytest.raises(FileExistsError, match='exists: remove it'):
        publish(training(tmp_path / 'in.pth'), out)
    assert out.read_text() == 'mine'
