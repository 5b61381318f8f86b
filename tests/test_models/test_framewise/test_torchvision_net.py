"""A model of torchvision, whose weights lie in torch's cache."""

from http.client import IncompleteRead
from urllib.error import URLError

import pytest
import torch
from torchvision import models

from mmseg_video.apis import open_net

NAME = 'lraspp_mobilenet_v3_large'


@torch.no_grad()
def test_it_says_what_torchvision_says(tmp_path, monkeypatch):
    torch.manual_seed(0)
    net = models.get_model(
        NAME, weights=None, weights_backbone=None, num_classes=21
    ).eval()
    weights = models.get_model_weights(NAME).DEFAULT
    cache = tmp_path / 'checkpoints'
    cache.mkdir()
    torch.save(net.state_dict(), cache / weights.url.rpartition('/')[2])
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    ours = open_net(f'torchvision://{NAME}')
    assert ours.classes[:2] == ('__background__', 'aeroplane')
    frames = torch.randint(256, (1, 3, 64, 96)).float()
    mean, std = (
        torch.tensor(v).view(3, 1, 1)
        for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )
    want = net((frames.flip(1) / 255 - mean) / std)['out']
    torch.testing.assert_close(ours.scores(frames), want, rtol=1e-4, atol=1e-4)


def test_a_name_that_it_lacks():
    with pytest.raises(ValueError, match=r"no segmentation model 'lraspp'"):
        open_net('torchvision://lraspp')


@pytest.mark.parametrize(
    ('error', 'sentence'),
    [
        (URLError('no route'), 'cannot fetch .*no route.*put the file at'),
        (IncompleteRead(b'x', 9), 'cannot fetch .*9 more expected'),
        (RuntimeError('invalid hash value'), 'damaged: invalid hash.*Remove'),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_download_that_fails_is_one_sentence(monkeypatch, error, sentence):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(torch.hub, 'load_state_dict_from_url', fail)
    with pytest.raises(OSError, match=sentence) as raised:
        open_net(f'torchvision://{NAME}')
    assert raised.value.__suppress_context__
    assert '\n' not in str(raised.value)


def test_a_damaged_file_in_the_cache_is_named(tmp_path, monkeypatch):
    url = models.get_model_weights(NAME).DEFAULT.url
    path = tmp_path / 'checkpoints' / url.rpartition('/')[2]
    path.parent.mkdir()
    path.write_bytes(b'cut short')
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path))
    with pytest.raises(OSError, match=f"Remove '{path}'"):
        open_net(f'torchvision://{NAME}')
