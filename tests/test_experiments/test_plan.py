"""What is done, in which order, and what never again."""

import os
import threading

import pytest
import torch

from mmseg_video.experiments import execute, make_plan, read_spec, time_left
from mmseg_video.experiments.report import describe
from tests.runs import options
from tests.test_experiments.specs import (
    CHECKPOINT,
    FRAMEWISE,
    Fake,
    content,
    entries,
    plan,
    write,
)


def do(plan, fake=None, **kwargs):
    """Do what is to be done: the titles, and what failed."""
    fake = fake or Fake()
    failed = execute(plan.to_do(plan.stages), fake, **kwargs)
    return fake.done, {stage.title: why for stage, why in failed.items()}


def test_first_the_start_seed_by_seed(tmp_path):
    done, failed = do(plan(tmp_path))
    assert failed == {}
    one = [
        'first, seed 0, train',
        'framewise, seed 0, train',
        'framewise, seed 0, t1',  # reads the key frame alone: once
        'gru, seed 0, train',
        'gru, seed 0, t3',
        'gru, seed 0, t5',
    ]
    assert done == one + [title.replace('d 0', 'd 1') for title in one]


def test_a_seed_that_no_run_has(tmp_path):
    ours = plan(tmp_path)
    assert {stage.run.seed for stage in ours.of(['gru'], [1])} == {1}
    with pytest.raises(ValueError, match=r'no run has the seed 7: .* 0, 1'):
        ours.of(['gru'], [0, 7])


def test_a_run_trains_with_its_own_seed(tmp_path):
    runs = list(plan(tmp_path).runs)
    assert {run.seed for run in runs} == {0, 1}
    for run in runs:
        assert run.cfg.randomness.seed == run.seed
    assert len({run.key for run in runs}) == len(runs)


def test_a_run_starts_from_the_checkpoint_of_its_seed(tmp_path):
    files = tmp_path / '{seed}.pth'
    spec = tmp_path / 'spec.yml'
    spec.write_text(
        'seeds: [0, 1]\n'
        'protocols: {t5: [mIoU]}\n'
        'entries:\n'
        f'  more: {{config: unet_street, load_from: "{files}"}}\n'
        f'  it: {{config: unet_street, checkpoint_of: "{files}"}}\n'
    )
    for seed in (0, 1):
        with pytest.raises(FileNotFoundError, match=rf'/{seed}\.pth'):
            make_plan(read_spec(spec), tmp_path)
        weights = dict(state_dict=dict(a=torch.full((1,), seed)))
        torch.save(weights, tmp_path / f'{seed}.pth')
    made = make_plan(read_spec(spec), tmp_path)
    for run in made.runs:
        path = f'{tmp_path}/{run.seed}.pth'
        assert path in (run.cfg.load_from, run.checkpoint)
    assert len({run.weights for run in made.runs}) == 4


def test_a_test_is_given_what_its_figures_and_its_entry_need(tmp_path):
    def arguments(**changes):
        ours = plan(tmp_path, seeds=[0], **changes)
        return [s.arguments for s in ours.of(['gru']) if not s.is_training]

    for asked in arguments():
        assert not {'--temporal', '--amp'} & set(asked)
    for asked in arguments(protocols={'stream': ['mIoU', 'flicker']}):
        assert '--temporal' in asked
    gru = {**entries()['gru'], 'amp': True}
    for asked in arguments(entries={**entries(), 'gru': gru}):
        assert '--amp' in asked


def test_nothing_is_done_twice(tmp_path):
    do(plan(tmp_path))
    assert do(plan(tmp_path)) == ([], {})


def test_the_order_in_the_spec_does_not_matter(tmp_path):
    backwards = dict(reversed(entries().items()))
    done, failed = do(plan(tmp_path, entries=backwards, seeds=[0]))
    assert done[0] == 'first, seed 0, train'
    assert len(done) == 6
    assert failed == {}


def test_a_change_does_again_what_depends_on_it(tmp_path):
    do(plan(tmp_path, seeds=[0]))
    changed = entries()
    changed['framewise']['overrides'] = {'optim_wrapper.optimizer.lr': 1.0}
    done, _ = do(plan(tmp_path, entries=changed, seeds=[0]))
    assert done == ['framewise, seed 0, train', 'framewise, seed 0, t1']
    changed['first']['overrides'] = {'optim_wrapper.optimizer.lr': 1.0}
    done, _ = do(plan(tmp_path, entries=changed, seeds=[0]))
    assert len(done) == 6
    # Changed back, what was done is still there.
    assert do(plan(tmp_path, seeds=[0])) == ([], {})


def test_what_concerns_tests_alone_is_tested_alone(tmp_path):
    do(plan(tmp_path, seeds=[0]))
    asked = {'t3': ['mIoU'], 't5': ['mIoU'], 'stream': ['mIoU']}
    done, _ = do(plan(tmp_path, protocols=asked, seeds=[0]))
    assert done == ['framewise, seed 0, stream', 'gru, seed 0, stream']
    changes = {**options('none'), 'test_dataloader.batch_size': 2}
    done, _ = do(plan(tmp_path, overrides=changes, seeds=[0]))
    assert [title.split(', ')[2] for title in done] == ['t1', 't3', 't5']


def test_a_test_with_other_arguments_is_another_test(tmp_path):
    asked = {'stream': ['mIoU']}
    first = plan(tmp_path, protocols=asked, seeds=[0])
    do(first)
    asked['stream'] += ['VC8']  # which takes --temporal
    more = plan(tmp_path, protocols=asked, seeds=[0])
    titles = [stage.title for stage in more.to_do(more.stages)]
    assert titles == ['framewise, seed 0, stream', 'gru, seed 0, stream']


def test_an_entry_may_test_a_checkpoint(tmp_path):
    checkpoint = tmp_path / 'any.pth'
    torch.save({}, checkpoint)
    ours = {'alone': {'config': FRAMEWISE, 'checkpoint_of': str(checkpoint)}}

    def again():
        return plan(tmp_path, entries=ours, seeds=[0], baseline=None)

    first = again()
    told = describe(first, ['alone'], first.to_do(first.stages), None)
    assert f'alone  seed 0 of {checkpoint}: t1' in told
    assert do(first) == (['alone, seed 0, t1'], {})
    assert do(again()) == ([], {})
    torch.save({'trained': 'anew'}, checkpoint)
    os.utime(checkpoint, (1, 1))  # by its content, not by its age
    assert do(again())[0] == ['alone, seed 0, t1']
    checkpoint.write_bytes(checkpoint.read_bytes()[:50])
    with pytest.raises(ValueError, match='is cut short'):
        again()


def test_another_spec_shares_what_is_the_same(tmp_path):
    do(plan(tmp_path, seeds=[0]))
    ours = {'other name': entries()['first']}
    with pytest.raises(ValueError, match='a name is made of letters'):
        plan(tmp_path, entries=ours, baseline=None)
    ours = {'other': entries()['first'], 'alike': entries()['first']}
    ours['other']['protocols'] = {'t5': ['mIoU']}
    spec = write(tmp_path, content(entries=ours, baseline=None), 'other')
    other = make_plan(read_spec(spec), tmp_path / 'out')
    # Both are the first one's training, which seed 1 has not yet.
    assert do(other)[0] == [
        'other, seed 0, t1',
        'other, seed 1, train',
        'other, seed 1, t1',
    ]


def test_a_stopped_training_finds_its_checkpoints(tmp_path):
    first = plan(tmp_path, seeds=[0])

    def stop(stage, slot):
        torch.save(CHECKPOINT, stage.work_dir / 'iter_1.pth')
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        do(first, stop)
    again = plan(tmp_path, seeds=[0]).stages[0]
    assert not again.is_done
    assert (again.work_dir / 'iter_1.pth').is_file()
    do(plan(tmp_path, seeds=[0]))
    assert [p.name for p in again.work_dir.glob('*.pth')] == ['iter_2.pth']


def test_an_interruption_ends_what_runs(tmp_path):
    """Else a second command would train beside it."""
    stopped = threading.Event()

    def launch(stage, slot):
        if 'seed 1' in stage.title:
            raise KeyboardInterrupt
        assert stopped.wait(10)
        raise RuntimeError('ended')

    with pytest.raises(KeyboardInterrupt):
        execute(plan(tmp_path).stages, launch, jobs=2, stop=stopped.set)


def test_a_failure_stops_only_what_needs_it(tmp_path):
    fake = Fake(broken=['first, seed 0, train', 'gru, seed 1, t3'])
    ended = {}
    done, failed = do(
        plan(tmp_path),
        fake,
        ended=lambda stage, why: ended.update({stage.title: why}),
    )
    nothing = "not begun: '{}' failed"
    assert failed == {
        'first, seed 0, train': 'it broke',
        'framewise, seed 0, train': nothing.format('first, seed 0, train'),
        'framewise, seed 0, t1': nothing.format('framewise, seed 0, train'),
        'gru, seed 0, train': nothing.format('first, seed 0, train'),
        'gru, seed 0, t3': nothing.format('gru, seed 0, train'),
        'gru, seed 0, t5': nothing.format('gru, seed 0, train'),
        'gru, seed 1, t3': 'it broke',
    }
    assert len(done) == 5
    assert ended == {**dict.fromkeys(done), **failed}
    assert len(do(plan(tmp_path))[0]) == 7  # and only those again


def test_as_many_at_once_as_there_are_jobs(tmp_path):
    together = threading.Barrier(2)
    fake, slots = Fake(), set()

    def launch(stage, slot):
        if stage.run.entry.name == 'first':
            together.wait(10)  # breaks where the seeds come one by one
        slots.add(slot)
        fake(stage, slot)

    assert do(plan(tmp_path), launch_with(fake, launch), jobs=2)[1] == {}
    assert slots == {0, 1}


def launch_with(fake, launch):
    launch.done = fake.done
    return launch if callable(launch) else fake


def test_a_lost_checkpoint_matters_where_it_is_needed(tmp_path):
    first = plan(tmp_path, seeds=[0])
    do(first)
    for path in (tmp_path / 'out').rglob('*.pth'):
        path.unlink()
    assert do(plan(tmp_path, seeds=[0])) == ([], {})
    asked = {'stream': ['mIoU']}
    done, _ = do(plan(tmp_path, protocols=asked, seeds=[0]))
    assert set(done) == {
        'first, seed 0, train',
        'framewise, seed 0, train',
        'framewise, seed 0, stream',
        'gru, seed 0, train',
        'gru, seed 0, stream',
    }


def test_an_entry_may_test_the_weights_of_another(tmp_path):
    ours = entries()
    for name, mode in (('whole', 'whole'), ('slide', 'slide')):
        ours[name] = {
            'config': FRAMEWISE,
            'checkpoint_of': 'framewise',
            'overrides': {
                'model.test_cfg': {
                    'mode': mode,
                    'crop_size': [64, 64],
                    'stride': [32, 32],
                }
            },
        }
    spec = plan(tmp_path, entries=ours, seeds=[0])
    done, failed = do(spec)
    assert failed == {}
    assert done[-2:] == ['whole, seed 0, t1', 'slide, seed 0, t1']
    slide, framewise = map(spec.first_run, ('slide', 'framewise'))
    assert slide.checkpoint == framewise.checkpoint


def test_a_figure_that_is_asked_for_must_be_there(tmp_path):
    asked = {'stream': ['mIoU', 'flicker']}
    _, failed = do(plan(tmp_path, protocols=asked, seeds=[0]))
    assert failed['gru, seed 0, stream'] == (
        "gru, seed 0, stream reports no 'flicker': it has mIoU"
    )


def test_links_lead_to_the_run_of_the_spec(tmp_path):
    first = plan(tmp_path, seeds=[0])
    do(first)
    run = first.first_run('gru')
    for _ in range(2):
        run.link(tmp_path / 'out/spec')
    config = tmp_path / 'out/spec/gru/seed0/config.py'
    assert config.samefile(run.folder / 'config.py')
    assert str(first.first_run('first').checkpoint) in config.read_text()


def test_time_left_is_that_of_what_is_alike(tmp_path):
    ours = plan(tmp_path)
    to_do = ours.to_do(ours.stages)
    assert time_left(ours, to_do) is None
    do(ours)
    for stage in ours.stages:
        seconds = 60 if stage.is_training else 5
        if stage.run.entry.name == 'gru' and stage.is_training:
            seconds = 120
        stage.marker.write(**{**stage.report, 'seconds': seconds})
    # Seed 2 will take what the others took: 60 + (60 + 5) + (120 + 2 * 5).
    more = plan(tmp_path, seeds=[0, 1, 2])
    to_do = more.to_do(more.stages)
    assert time_left(more, to_do) == pytest.approx(255)
