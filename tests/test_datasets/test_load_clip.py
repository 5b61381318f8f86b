from pathlib import Path

import numpy as np
import pytest
from mmseg.registry import TRANSFORMS
from PIL import Image

from mmseg_video.datasets import decode_threads
from tests.frames import textured
from tests.sequences import write_image


def load(results, *types):
    for kind in types:
        results = TRANSFORMS.build(dict(type=kind))(results)
    return results


@pytest.fixture
def paths(tmp_path):
    return [
        write_image(tmp_path / f'{i}.png', textured(seed=i)) for i in range(4)
    ]


@pytest.mark.parametrize('cores', [1, 4])
def test_equals_mmsegs_loading(paths, monkeypatch, cores):
    monkeypatch.setattr(decode_threads, 'idle_cores', lambda: cores)
    *refs, key = paths
    # Padded at its beginning, and a frame that is not there.
    refs = [refs[0], *refs, key.replace('3', '9')]
    sample = dict(img_path=key, ref_img_paths=refs, missing='repeat')
    fast = load(dict(sample), 'LoadClip')
    slow = load(dict(sample), 'LoadImageFromFile', 'LoadRefFrames')
    assert np.array_equal(fast.pop('img'), slow.pop('img'))
    assert fast == slow
    assert fast['ori_shape'] == (64, 96)
    alone = load(dict(img_path=key), 'LoadClip')
    assert np.array_equal(alone['img'], [textured(seed=3)])


@pytest.mark.parametrize('cores', [1, 4])
def test_what_is_wrong_with_a_frame_is_said(paths, monkeypatch, cores):
    monkeypatch.setattr(decode_threads, 'idle_cores', lambda: cores)
    *refs, key = paths
    sample = dict(img_path=key, ref_img_paths=refs)
    with open(refs[1], 'r+b') as file:
        file.truncate(60)
    with pytest.raises(OSError, match=r"1\.png' is empty or breaks off"):
        load(dict(sample), 'LoadClip')
    write_image(Path(refs[1]), textured(32))
    with pytest.raises(ValueError, match=r"1\.png' is 32x96.*one size"):
        load(dict(sample), 'LoadClip')
    with pytest.raises(FileNotFoundError, match='no ref frame'):
        load(dict(sample, ref_img_paths=['none.png']), 'LoadClip')
    with pytest.raises(FileNotFoundError, match=r"no such image: 'no\.png'"):
        load(dict(sample, img_path='no.png'), 'LoadClip')


def test_cores_are_shared_among_workers_and_processes(monkeypatch):
    monkeypatch.setattr(
        decode_threads.os, 'sched_getaffinity', lambda _: range(16)
    )
    monkeypatch.delenv('LOCAL_WORLD_SIZE', raising=False)
    assert decode_threads.idle_cores() == 16
    monkeypatch.setenv('LOCAL_WORLD_SIZE', '2')

    class Info:
        num_workers = 4

    monkeypatch.setattr(decode_threads, 'get_worker_info', Info)
    assert decode_threads.idle_cores() == 2


def test_labels_are_pillows(tmp_path):
    """Grey, from a palette, and one that is broken."""
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 5, (64, 96), np.uint8)
    palette = Image.fromarray(levels, 'P')
    palette.putpalette(rng.integers(0, 256, 768, np.uint8).tobytes())
    palette.save(tmp_path / 'palette.png')
    grey = write_image(tmp_path / 'grey.png', levels)
    for path in (grey, str(tmp_path / 'palette.png')):
        sample = dict(
            seg_map_path=path, ori_shape=(64, 96), reduce_zero_label=False
        )
        label = load(sample, 'LoadClipAnnotations')['gt_seg_map']
        assert label.dtype == np.uint8
        assert np.array_equal(label, levels)
    data = bytearray(Path(grey).read_bytes())
    data[len(data) // 2] ^= 255
    Path(grey).write_bytes(data)
    sample['seg_map_path'] = grey
    with pytest.raises(OSError, match=r"grey\.png'"):
        load(sample, 'LoadClipAnnotations')
