"""Nets that read one size see frames of any size."""

import torch
import torch.nn.functional as F

from mmseg_video.models.framewise.windows import in_windows


def cells(part):
    assert part.shape[2:] == (32, 16)
    return F.avg_pool2d(part, 4)


def test_windows_cover_the_frame_and_are_averaged_where_they_overlap():
    rows = torch.arange(80.0).view(1, 1, 80, 1).expand(1, 3, 80, 16)
    got = in_windows(cells, rows, (32, 16))
    torch.testing.assert_close(got, F.avg_pool2d(rows, 4))


def test_another_size_is_brought_to_the_window_first():
    frames = torch.rand(1, 3, 64, 32)
    small = F.interpolate(frames, (32, 16), mode='bilinear', antialias=True)
    got = in_windows(cells, frames, (32, 16))
    torch.testing.assert_close(got, F.avg_pool2d(small, 4))
