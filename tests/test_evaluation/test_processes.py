"""Figures do not depend on how many processes there are."""

import json
import os
import sys

from tests.commands import ROOT, call

WORKER = """
import json, sys
import numpy as np, torch, torch.distributed as dist
import torch.multiprocessing as mp
import mmseg_video
from mmseg_video.datasets import SequenceSampler
from mmseg_video.evaluation import (
    FlickerMetric, TemporalConsistencyMetric, VideoConsistencyMetric,
    SequenceIoUMetric,
)
from tests.test_evaluation.videos import blocks, feed, panned, texture

torch.set_num_threads(1)
LENGTHS = (3, 7, 2, 5, 4)
META = dict(classes=tuple('abcd'), palette=[[0] * 3] * 4)


class Videos:
    frames = [(s, t) for s, n in enumerate(LENGTHS) for t in range(n)]

    def __len__(self):
        return len(self.frames)

    def get_data_info(self, index):
        return dict(sequence=str(self.frames[index][0]))


def evaluate(rank, size, out, rendezvous):
    if size > 1:
        dist.init_process_group(
            'gloo', init_method=f'file://{rendezvous}{size}', rank=rank,
            world_size=size,
        )
    metrics = [
        TemporalConsistencyMetric(), FlickerMetric(),
        VideoConsistencyMetric(lengths=(2, 3)), SequenceIoUMetric(),
    ]
    indices = list(SequenceSampler(Videos()))
    for metric in metrics:
        metric.dataset_meta = META
        for index in indices:
            s, t = Videos.frames[index]
            n = LENGTHS[s]
            frames = panned(texture(48, 96 + 3 * n, s), n, 3, 96)
            labels = panned(blocks(48, 96 + 3 * n, seed=s), n, 3, 96)
            noise = np.random.default_rng(index).random((48, 96)) < 0.1
            predicted = np.where(noise, 0, labels[t]).astype(np.uint8)
            feed(metric, [frames[t]], [predicted], [labels[t]], str(s), t)
    figures = {}
    for metric in metrics:
        figures |= metric.evaluate(len(Videos()))
    if rank == 0:
        with open(f'{out}{size}.json', 'w') as file:
            json.dump(figures, file)
    if size > 1:
        dist.destroy_process_group()


if __name__ == '__main__':
    for size in (1, 2, 3, 7):
        mp.start_processes(
            evaluate, (size, *sys.argv[1:]), size, start_method='fork'
        )
"""


def test_one_two_three_and_more_processes_than_sequences(tmp_path):
    worker = tmp_path / 'worker.py'
    worker.write_text(WORKER)
    path = f'{ROOT}{os.pathsep}{os.environ.get("PYTHONPATH", "")}'
    code, output = call(
        *(sys.executable, worker, tmp_path / 'figures', tmp_path / 'meet'),
        PYTHONPATH=path,
    )
    assert code == 0, output[-2000:]
    one, *others = (
        json.loads((tmp_path / f'figures{size}.json').read_text())
        for size in (1, 2, 3, 7)
    )
    assert others == [one] * 3
    assert {'TC_ETC', 'VC2', 'flicker', 'sequences/mIoU'} <= set(one)
    assert 0 < one['flicker_compensated'] < one['flicker'] < 100
