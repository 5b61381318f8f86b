"""Settings reach the places that they name, or are refused with them."""

import copy

import pytest
from mmengine import Config

from mmseg_video.engine.config_merge import merge


def config():
    return Config(
        dict(
            hook=dict(type='GrowClipHook', milestones={10: 5, 20: 8}),
            steps=[dict(type='A', size=1), dict(type='B', sizes=[1, 2])],
            model=dict(depth=18),
            nothing=None,
        )
    )


@pytest.mark.parametrize(
    ('options', 'place', 'value'),
    [
        ({'hook': {'milestones': {20: 9, 30: 12}}}, 'hook', {10: 5, 30: 12}),
        ({'hook.milestones': {20: 9}}, 'hook', {10: 5}),
        (
            {'hook': {'milestones': {'_delete_': True, 20: 9}}},
            'hook',
            {},
        ),
    ],
)
def test_numbers_are_keys(options, place, value):
    """Of a YAML file; what was there stays, and is found by its number."""
    cfg, before = config(), copy.deepcopy(options)
    merge(cfg, options)
    assert cfg[place].milestones == {**value, 20: 9}
    assert options == before


def test_a_new_dict_keeps_its_numbers():
    cfg = config()
    merge(cfg, {'custom': {'a': {1: {2: 3}}}, 'model.names': {0: 'road'}})
    assert cfg.custom == {'a': {1: {2: 3}}}
    assert cfg.model.names == {0: 'road'}
    assert cfg.model.depth == 18


def test_numbers_name_entries_of_lists():
    cfg = config()
    merge(cfg, {'steps': {1: {'sizes': {0: 7}}}})
    merge(cfg, {'steps.0.size': 3, 'steps.1.sizes.1': 9})
    assert cfg.steps == [dict(type='A', size=3), dict(type='B', sizes=[7, 9])]
    merge(cfg, {'steps': {'0': None}})
    assert cfg.steps == [None, dict(type='B', sizes=[7, 9])]


def test_a_dict_may_be_replaced():
    cfg = config()
    merge(cfg, {'hook': {'_delete_': True, 'type': 'B'}})
    assert cfg.hook == dict(type='B')
    merge(cfg, {'model.depth': {'_delete_': True, 'x': {'_delete_': True}}})
    assert cfg.model == dict(depth=dict(x={}))


def test_what_mmengine_merges_is_merged_so():
    options = {
        'model.depth': 5,
        'model': {'head': {'a.b': 1}, 'list': [dict(c=1)]},
        'model.head.x': {'y': 2},
        'hook.type': None,
        'new': [dict(d=1)],
        'steps': [dict(type='C')],
    }
    ours, theirs = config(), config()
    before = copy.deepcopy(options)
    merge(ours, options)
    assert options == before
    theirs.merge_from_dict(copy.deepcopy({**options, 'model.depth': 5}))
    assert ours.to_dict() == theirs.to_dict()
    # What is in lists has attributes too.
    assert ours.new[0].d == ours.model.list[0].c == 1


def test_none_is_nothing():
    cfg = config()
    merge(cfg, {'nothing': {'x': 1}})
    assert cfg.nothing == dict(x=1)


@pytest.mark.parametrize(
    ('options', 'says'),
    [
        ({'hook': {None: 1}}, 'the key None of hook is neither'),
        ({'a': [{True: 1}]}, r'the key True of a\.0 is neither'),
        ({'a': ({1.5: 1},)}, r'the key 1\.5 of a\.0 is neither'),
        ({'a': {'': 1}}, "the key '' of a is neither"),
        ({5: 1}, 'the key 5 is neither'),
        ({True: 1}, 'the key True is neither'),
        ({'steps': {2: {}}}, "steps is a list of 2: .* there is no '2'"),
        ({'steps.x.size': 1}, "steps is a list of 2: .* there is no 'x'"),
        ({'steps': {1: {'sizes': {-1: 1}}}}, r"steps\.1\.sizes .* no '-1'"),
        (
            {'steps': {0: {'size': 9}, 1: 5}, 'model.depth.x': 1},
            r'model\.depth is 18',
        ),
        ({'model.depth.x': 1}, r"model\.depth is 18, which has no 'x'"),
        ({'model': {'depth': {}}}, r'model\.depth is 18, which'),
        ({'model.depth': 5, 'model.depth.x': 1}, "leads into 'depth', which"),
        ({'.a': 1}, "'.a': a name between"),
        ({'a.': 1}, "'a.': a name between its points is missing"),
    ],
)
def test_what_does_not_fit_is_named(options, says):
    cfg = config()
    with pytest.raises(ValueError, match=says) as error:
        merge(cfg, options)
    assert '\n' not in str(error.value)
    assert cfg.to_dict() == config().to_dict()
