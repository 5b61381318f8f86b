"""A GPU day: what is scheduled, and that its stages run on a CPU."""

import dataclasses
import json
import os
import time
from functools import partial

import pytest
import torch

from mmseg_video.experiments.benchmarks.gpu_day import (
    DRY,
    STAGES,
    Stage,
    run_gpu_day,
)
from mmseg_video.experiments.benchmarks.gpu_day.camvid import train_camvid
from mmseg_video.experiments.benchmarks.gpu_day.compiled import graph_stepper
from mmseg_video.experiments.benchmarks.gpu_day.headlines import headlines
from mmseg_video.experiments.benchmarks.gpu_day.networks import (
    FLOW,
    LATERALS,
    NETWORKS,
    network,
)
from mmseg_video.experiments.benchmarks.gpu_day.parity import (
    difference,
    last_logits,
    random_frames,
    stepper,
)
from mmseg_video.experiments.benchmarks.gpu_day.precision import Precision
from mmseg_video.experiments.benchmarks.gpu_day.rows import row

TINY = dataclasses.replace(DRY, sizes=((32, 64), (32, 64)), lengths=(1, 2))


def good(settings, calls):
    with open(calls, 'a') as file:
        file.write('x')
    yield row('good', settings.size, ms=1.0)


def fails(settings):
    yield row('before it failed')
    raise ValueError('no such thing\nand more')


def hangs(settings):
    yield row('before it hung')
    time.sleep(100)


def dies(settings):
    yield row('before it died')
    os._exit(3)


def stage(run, seconds=0, limit=30):
    name = getattr(run, 'func', run).__name__
    return Stage(name, name.title(), 'About it.', run, seconds, limit)


def day(folder, stages, settings=TINY, minutes=1):
    run_gpu_day(folder, minutes, settings, stages, start='fork')


def read(folder):
    return json.loads((folder / 'gpu_day.json').read_text())['stages']


def test_one_that_fails_hangs_or_dies_stops_no_other(tmp_path, capfd):
    calls = tmp_path / 'calls'
    stages = [
        stage(fails),
        stage(hangs, limit=0.5),
        stage(dies),
        stage(partial(good, calls=calls)),
        dataclasses.replace(stage(fails, seconds=1e6), name='long'),
    ]
    out = tmp_path / 'out'
    with pytest.raises(RuntimeError, match=r'3 of 5 .*fails, hangs, dies'):
        day(out, stages)
    found = read(out)
    assert [entry['status'] for entry in found.values()] == [
        *('failed', 'timed out', 'failed', 'done', 'skipped')
    ]
    assert found['fails']['why'] == 'ValueError: no such thing'
    assert '(3)' in found['dies']['why']
    for name, text in (('fails', 'failed'), ('hangs', 'hung')):
        assert found[name]['rows'][0]['case'] == f'before it {text}'
    assert found['hangs']['seconds'] < 10
    assert 'were left' in found['long']['why']
    assert 'no such thing' in (out / 'gpu_day.log').read_text()
    assert '| good | good | 32x64 | 1.00 |' in (out / 'table.md').read_text()
    page = (out / 'gpu.md').read_text()
    assert 'timed out: it took too long' in page
    assert '## Good\n\nAbout it.' in page
    assert 'good: done' in capfd.readouterr().out

    # Again: only what is missing.
    stages[0] = dataclasses.replace(stages[3], name='fails')
    day(out, [stages[0], stages[3]])
    assert calls.read_text() == 'xx'
    assert read(out)['fails']['status'] == 'done'
    assert 'good: done before' in capfd.readouterr().out


def test_what_is_known_outlives_a_day_without_time(tmp_path):
    with pytest.raises(RuntimeError, match='1 of 1'):
        day(tmp_path, [stage(fails)])
    with pytest.raises(RuntimeError, match='1 of 1'):
        day(tmp_path, [stage(fails, seconds=100)], minutes=0.1)
    assert read(tmp_path)['fails']['rows']


def test_figures_of_other_settings_are_not_mixed(tmp_path):
    calls = tmp_path / 'calls'
    stages = [stage(partial(good, calls=calls))]
    day(tmp_path, stages)
    before = (tmp_path / 'gpu_day.json').read_text()
    with pytest.raises(ValueError, match='holds figures of another machine'):
        day(tmp_path, stages, DRY)
    assert (tmp_path / 'gpu_day.json').read_text() == before


@pytest.mark.parametrize('stage', STAGES, ids=lambda stage: stage.name)
def test_stages_give_rows(stage):
    if stage.name in ('onnx_runtime', 'latency_large', 'training_long'):
        pytest.skip('long, or another of the same kind: the dry form has it')
    rows = list(stage.run(TINY))
    assert rows
    for found in rows:
        numbers = [v for v in found.values() if isinstance(v, float)]
        assert all(value >= 0 for value in numbers)
        assert numbers or found['note']


def test_the_names_of_stages_differ():
    assert len({stage.name for stage in STAGES}) == len(STAGES)


@pytest.mark.parametrize('name', NETWORKS)
def test_states_matter(name):
    """Else parity would see nothing of them."""
    frames = random_frames((32, 64))
    model = network(name, 'cpu')
    changed = difference(
        last_logits(stepper(model), frames),
        last_logits(stepper(model), frames[-1:]),
    )['error']
    assert (changed > 1e-3) == hasattr(model, 'step')


@pytest.mark.parametrize('name', [LATERALS, FLOW])
def test_a_graph_moves_its_states_on(name):
    frames = random_frames((32, 64))
    model = network(name, 'cpu')
    replay = graph_stepper(model, Precision(), frames[0])
    for _ in range(2):  # a sequence, not only a first frame
        wanted = last_logits(stepper(model), frames)
        replay = graph_stepper(model, Precision(), frames[0])
        torch.testing.assert_close(last_logits(replay, frames), wanted)


def test_differences_are_relative_and_never_nan():
    reference = torch.tensor([[[[3.0, 0.0]], [[0.0, 4.0]]]])
    logits = reference.clone()
    logits[0, :, 0, 0] = torch.tensor([0.0, 3.0])
    found = difference(logits, reference)
    assert found['error'] == pytest.approx(18**0.5 / 5)
    assert found['changed'] == 50
    logits[0, 0] = float('nan')
    with pytest.raises(ValueError, match='not finite'):
        difference(logits, reference)


def test_precision_is_left_as_it_was():
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matmul.allow_tf32, cudnn.allow_tf32
    weight = torch.ones(2, 2, requires_grad=True)
    for tf32 in (True, False):
        with Precision(tf32, torch.float16)(torch.device('cpu')):
            assert (matmul.allow_tf32, cudnn.allow_tf32) == (tf32, tf32)
            assert (weight @ weight).dtype == torch.bfloat16
        assert (matmul.allow_tf32, cudnn.allow_tf32) == before
    assert (weight @ weight).dtype == torch.float32


def test_a_row_has_known_columns():
    with pytest.raises(ValueError, match='no column is called milliseconds'):
        row('case', milliseconds=1)


def test_headlines_need_their_figures():
    assert headlines({}) == []
    rows = {
        'latency_small': [
            row('framewise, TF32', (8, 16), ratio=1.0),
            row('laterals, TF32', (8, 16), ratio=1.05),
        ],
        'training_short': [
            row('framewise, T=5, TF32', ratio=1.0, rate=9.0),
            row('laterals, T=5, TF32', ratio=0.8, rate=10.0),
            row('laterals, T=5, float16', ratio=0.7, rate=20.0),
            row('gated EMA, T=5, TF32', note='does not fit'),
        ],
        'loader': [row('laterals, T=5, 16 worker processes', rate=40.0)],
    }
    assert headlines(rows) == [
        'A streamed frame of 8x16 against framewise, TF32: laterals 1.05.',
        'A training step against as many framewise ones: laterals, T=5 0.80.',
        'The loader (laterals, T=5, 16 worker processes) gives 40 images/s, '
        'the step (laterals, T=5, float16) takes 20.',
    ]


def test_training_ends_with_the_time():
    def train(*command, seconds):
        return list(
            train_camvid(
                TINY, command=list(command), until=time.time() + seconds
            )
        )

    (done,) = train('true', seconds=100)
    assert done['note'].startswith('done')
    with pytest.raises(TimeoutError, match='goes on from them'):
        train('sleep', '100', seconds=0.2)
    with pytest.raises(RuntimeError, match='exit status 1'):
        train('false', seconds=100)
