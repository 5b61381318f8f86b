"""What a spec may say, and the sentence where it says something else."""

import re

import pytest

from mmseg_video.experiments import read_spec
from mmseg_video.io.shipped import ROOT
from tests.runs import CONFIGS
from tests.test_experiments.specs import FRAMEWISE, content, entries, write

SPECS = sorted((CONFIGS / 'ablations').glob('*.yml'))


def test_what_is_shared_holds_where_an_entry_says_nothing(tmp_path):
    own = entries()
    own['gru'] |= {'seeds': [1], 'protocols': {'stream': ['flicker']}}
    spec = read_spec(write(tmp_path, content(entries=own)))
    assert spec.name == 'spec'
    assert spec.entries['framewise'].seeds == (0, 1)
    assert spec.entries['gru'].seeds == (1,)
    assert [p.name for p in spec.entries['gru'].protocols] == ['stream']
    assert [entry.name for entry in spec.rows] == ['framewise', 'gru']
    shared, ours = spec.entries['gru'].overrides
    assert shared['train_cfg.max_iters'] == 2
    assert ours == own['gru']['overrides']


def test_a_spec_inherits_as_a_config_does(tmp_path):
    write(tmp_path, content(), 'base')
    child = {
        '_base_': './base.yml',
        'seeds': [7],
        'entries': {'gru': {'protocols': {}}, 'new': {'config': FRAMEWISE}},
    }
    spec = read_spec(write(tmp_path, child))
    assert list(spec.entries) == ['first', 'framewise', 'gru', 'new']
    assert spec.entries['new'].seeds == (7,)
    assert spec.entries['gru'].load_from == 'first'
    assert not spec.entries['gru'].protocols


def test_only_brings_what_it_starts_from(tmp_path):
    spec = read_spec(write(tmp_path, content()))
    assert spec.with_starts(['gru']) == ['first', 'gru']
    with pytest.raises(ValueError, match="'no': choose of first, framewise"):
        spec.with_starts(['no'])


def changed(**changes):
    """Each of the entries, with one of them changed."""
    own = entries()
    for name, values in changes.items():
        own[name] = {**own.get(name, {'config': FRAMEWISE}), **values}
    return {'entries': own}


BAD = {
    'missing config': (
        changed(gru={'config': 'configs/no.py'}),
        "entry 'gru': no config 'configs/no.py'",
    ),
    'missing schedule': (
        {'schedule': 'no.py'},
        "entry 'first': no schedule 'no.py'",
    ),
    'unknown key': ({'seed': [0]}, "unknown key 'seed': choose of data, sch"),
    'unknown key of an entry': (
        changed(gru={'size': [1, 2]}),
        "entry 'gru': unknown key 'size': choose of .*, load_from, checkp",
    ),
    'no config': ({'entries': {'a': None}}, "entry 'a': config: PATH is mis"),
    'no entries': ({'entries': []}, 'entries: NAME: .* is missing'),
    'circle': (
        changed(first={'load_from': 'gru'}),
        'load_from goes in a circle: first <- gru <- first',
    ),
    'circle of one': (
        changed(gru={'load_from': 'gru'}),
        'in a circle: gru <- gru',
    ),
    'unknown start': (
        changed(gru={'load_from': 'frist'}),
        "load_from 'frist' is neither a file nor an entry: choose of first, ",
    ),
    'unknown checkpoint': (
        changed(ema={'checkpoint_of': 'no'}),
        "checkpoint_of 'no' is neither a file nor an entry: choose of first",
    ),
    'both starts': (
        changed(gru={'checkpoint_of': 'first'}),
        'do not go together',
    ),
    'nothing to start from': (
        changed(ema={'checkpoint_of': 'gru'}, last={'load_from': 'ema'}),
        "'ema' has no training to start from: name 'gru'",
    ),
    'seeds of the start': (
        changed(gru={'seeds': [0, 5]}),
        r"seeds \[0, 5\], but 'first', where it starts, has only \[0, 1\]",
    ),
    'seed twice': ({'seeds': [0, 0]}, 'each once'),
    'seeds are numbers': ({'seeds': 3}, 'must be a list of integers >= 0'),
    'size': ({'size': [64]}, r'size: \[HEIGHT, WIDTH\]'),
    'baseline': (
        {'baseline': 'first'},
        "baseline 'first' is no entry with protocols: choose of framewise, g",
    ),
    'protocol': (
        {'protocols': {'T=5': ['mIoU']}},
        "unknown protocol 'T=5': choose stream, .*, or clips of T frames",
    ),
    'corruption': (
        {'protocols': {'t5_fog_1': ['mIoU']}},
        'one of .*_motion_blur_1',
    ),
    'metric': (
        {'protocols': {'t5': ['IoU']}},
        "no test reports 'IoU': choose of mIoU, mAcc, aAcc, TC_ETC",
    ),
    'protocols are a mapping': (
        {'protocols': ['t5']},
        r'protocols: NAME: \[METRIC, ...\], such as t5',
    ),
    'name': (
        changed(**{'a/b': {}}),
        "entry 'a/b': a name is made of letters, digits and",
    ),
    'unknown recipe': (
        changed(gru={'recipes': ['gated']}),
        "entry 'gru': no recipe 'gated': name a .py file, or .*, gated_ema",
    ),
    'recipes are names': (
        {'recipes': 'gated_ema'},
        r'recipes: \[NAME, ...\], not gated_ema',
    ),
    'overrides': ({'overrides': [1]}, 'overrides: KEY: VALUE, not'),
    'a config is a text': (
        changed(gru={'config': 5}),
        "entry 'gru': config: a text, not 5",
    ),
    'a start is a text': (
        changed(gru={'load_from': ['first']}),
        r"entry 'gru': load_from: a text, not \['first'\]",
    ),
    'a title is a text': ({'title': 1}, "unknown key 'title'"),
    'a folder is a text': ({'data_root': False}, 'data_root: a text, not Fa'),
    'a baseline is a text': ({'baseline': {}}, r'baseline: a text, not \{\}'),
    'keep': ({'keep': 'num_frames'}, r'keep: \[NAME, ...\], not num_frames'),
    'protocols are texts': (
        {'protocols': {5: ['mIoU']}},
        r'protocols: NAME: \[METRIC, ...\]',
    ),
    'metrics are texts': (
        {'protocols': {'t5': [5]}},
        r'protocols: NAME: \[METRIC, ...\]',
    ),
    'seeds are no truths': (
        {'seeds': [True]},
        r'seeds must be a list of integers >= 0, not \[True\]',
    ),
    'size is of numbers': ({'size': [64, None]}, 'size must be a list of int'),
    'base': ({'_base_': 5}, r'_base_: \[NAME, ...\], not 5'),
    'a reserved key': ({'filename': 'x'}, "unknown key 'filename'"),
    'amp': ({'amp': 'bf16'}, 'amp: true or false, not bf16'),
}


@pytest.mark.parametrize('case', BAD)
def test_bad_input_is_one_sentence(case, tmp_path):
    changes, sentence = BAD[case]
    path = write(tmp_path, content(**changes))
    with pytest.raises((ValueError, FileNotFoundError), match=sentence) as e:
        read_spec(path)
    assert '\n' not in str(e.value)


def test_a_file_that_breaks_off(tmp_path):
    path = tmp_path / 'spec.yml'
    path.write_text('seeds: [0]\nprotocols: {t5: [mIoU]\nentries:\n')
    with pytest.raises(ValueError, match='is no YAML: line 3: ') as e:
        read_spec(path)
    assert '\n' not in str(e.value)


def test_two_entries_of_one_name(tmp_path):
    path = tmp_path / 'spec.yml'
    path.write_text(
        'seeds: [0]\nentries:\n  a: {config: x}\n  a: {config: y}\n'
    )
    with pytest.raises(ValueError, match=r"'a' stands twice .* line 3"):
        read_spec(path)


@pytest.mark.parametrize(
    ('name', 'text', 'sentence'),
    [
        ('spec.py', '', "spec.py' is no spec"),
        ('spec.yml', 'a: [', 'is no YAML: line 1'),
        ('spec.yml', '- a', r'entries: NAME: \{config: ...\} is missing'),
        ('missing.yml', None, "no spec '.*': it is neither a file nor"),
    ],
)
def test_no_spec(name, text, sentence, tmp_path):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises((ValueError, FileNotFoundError), match=sentence):
        read_spec(tmp_path / name)


def test_the_base_is_named_that_is_wrong(tmp_path):
    (tmp_path / 'spec.yml').write_text('_base_: base.yml\nentries: {}\n')
    (tmp_path / 'base.yml').write_text('sead: [0]\n')
    with pytest.raises(ValueError, match=r"base\.yml: unknown key 'sead'"):
        read_spec(tmp_path / 'spec.yml')


def test_bases_that_do_not_go_together(tmp_path):
    (tmp_path / 'spec.yml').write_text('_base_: [a.yml, b.yml]\n')
    for name in 'ab':
        (tmp_path / f'{name}.yml').write_text('seeds: [0]\n')
    with pytest.raises(ValueError, match=r'spec\.yml: .*seeds') as error:
        read_spec(tmp_path / 'spec.yml')
    assert '\n' not in str(error.value)


def test_the_list_of_specs_is_not_empty():
    assert len(SPECS) >= 6


@pytest.mark.parametrize('path', SPECS, ids=lambda path: path.stem)
def test_every_spec_of_the_package_reads(path, monkeypatch):
    monkeypatch.chdir(CONFIGS.parent)
    spec = read_spec(path)
    assert any(name.startswith('framewise') for name in spec.baselines)
    assert len(spec.rows) > 1
    # What is compared starts from the same weights, or says in its name
    # that it does not.
    for entry in spec.rows:
        if re.search('from_scratch|after_clean', entry.name):
            continue
        start = entry.start
        while start in spec.entries and spec.entries[start].start:
            start = spec.entries[start].start
        files = '/unet_(street|imagenet_camvid)|camvid_nets/seed{seed}'
        assert re.search(f'first|framewise_from_scratch|{files}', start)


def test_a_spec_imports_nothing(tmp_path, monkeypatch):
    """It may be a stranger's."""
    (tmp_path / 'evil_mod.py').write_text("open('ran', 'w').close()")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / 'a.yml').write_text(
        'custom_imports: {imports: [evil_mod]}\n'
        'entries: {a: {config: configs/unet_street.py}}\n'
    )
    with pytest.raises(ValueError, match="unknown key 'custom_imports'"):
        read_spec(tmp_path / 'a.yml')
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize('base', ['evil.yml', ['good.yml', 'evil.yml']])
def test_tags_of_yaml_run_nothing(tmp_path, monkeypatch, base):
    """In the spec, or in one that it inherits from."""
    monkeypatch.chdir(tmp_path)
    ran = tmp_path / 'ran'
    evil = f'entries: !!python/object/apply:os.mkdir ["{ran}"]\n'
    (tmp_path / 'evil.yml').write_text(evil)
    (tmp_path / 'good.yml').write_text('seeds: [0]\n')
    (tmp_path / 'heir.yml').write_text(f'_base_: {base}\nentries: {{}}\n')
    for name in ('evil.yml', 'heir.yml'):
        with pytest.raises(ValueError, match=r'evil\.yml'):
            read_spec(tmp_path / name)
    assert not ran.exists()


def test_it_may_start_from_published_weights(tmp_path):
    path = tmp_path / 'spec.yml'
    path.write_text(
        'seeds: [0]\n'
        'protocols: {t5: [mIoU]}\n'
        'entries:\n'
        '  more: {config: unet_street, load_from: unet_street}\n'
        '  alone: {config: unet_street, checkpoint_of: unet_street}\n'
    )
    entries = read_spec(path).entries
    weights = ROOT / 'work_dirs/checkpoints/unet_street.pth'
    assert entries['more'].load_from == str(weights)
    assert entries['alone'].checkpoint_of == str(weights)
    path.write_text(path.read_text().replace(': unet_street}', ': rnn_sru}'))
    with pytest.raises(ValueError, match='neither a file nor an entry'):
        read_spec(path)
