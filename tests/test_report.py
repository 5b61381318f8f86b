"""docs/report: what it shows is what was measured, and its sources are whole.

None of this needs LaTeX.
"""

import json
import os
import re
import sys
from pathlib import Path

import pytest
import yaml

from mmseg_video.experiments.benchmark_results import Column, ResultsError
from tests import evidence
from tests.commands import ROOT, TOOLS, call

sys.path.insert(0, str(TOOLS / 'dev'))

from report import digest, numbers, prose, tables, write
from report.facts import fact
from report.sources import RESULTS, ReportError, Results, literature

FOLDER = ROOT / 'docs/report'
BENCHMARKS = ('street_scenes',)
# Settings, and what is no figure of ours: a number with a decimal point, a
# sign or a percent sign is one of these or a macro.
SETTINGS = (
    r'95\,\%',  # of intervals
    r'1.15 times the framewise latency',
    r'operatorname{logit}(0.1)',
    r'$a=0.1$',
    r'+ 0.5)',  # of the photometric weight
    r'$0.7$ of the unwarped',
    r'35\,\% of the',  # of the earlier benchmark
    r'Street scenes 1.0',
    r'street scenes 1.0',
    r'$1.5\times10^{-3}$',  # a learning rate
    r'ResNet-18',
    r'EfficientNet-Lite0',
    r'\ref{',
)


@pytest.fixture(scope='module')
def made_up(tmp_path_factory):
    """All results, those of the benchmark made up."""
    root = tmp_path_factory.mktemp('results')
    for path in RESULTS.iterdir():
        if path.name not in BENCHMARKS:
            (root / path.name).symlink_to(path)
    return evidence.write(root)


@pytest.fixture(scope='module')
def results():
    """The committed ones."""
    return Results()


@pytest.fixture
def text(tmp_path):
    """A function that writes a report of one line, and returns its folder."""

    def write_one(line):
        (tmp_path / 'report.tex').write_text(line)
        (tmp_path / 'literature.yml').write_text('one: {value: 7}')
        return tmp_path

    return write_one


@pytest.fixture(scope='module')
def sources():
    """Path -> text, without comments, of what is written by hand."""
    return {
        path.relative_to(FOLDER): prose.COMMENT.sub('', path.read_text())
        for path in prose.sources(FOLDER)
    }


def test_the_texts_are_those_of_the_results(results):
    made = write.texts(results)
    committed = {
        path.name: path.read_text()
        for path in (FOLDER / 'generated').glob('*.tex')
    }
    assert made == committed, 'run bash tools/build_report.sh'


def test_the_pdf_is_that_of_the_sources():
    assert (FOLDER / 'report.pdf').stat().st_size < 2_000_000
    found = digest.digests(FOLDER)
    assert 'report.pdf' in found
    assert digest.read(FOLDER) == found, 'run bash tools/build_report.sh'


def test_no_figure_is_typed_by_hand(sources):
    typed = []
    for path, text in sources.items():
        for line in _plain(text).splitlines():
            found = re.search(
                r'(?<![\w.])\d+\.\d+|\d\s*(\\,)?\s*\\%|\$[-+]\s*\d'
                r'|\d\$?\s*(mIoU|points?)\b',
                line,
            )
            if found:
                typed.append((str(path), found[0], line))
    assert typed == []


def _plain(text):
    """Prose without macros of values, drawings, lengths and settings."""
    text = re.sub(
        r'\\begin{tikzpicture}.*?\\end{tikzpicture}', '', text, flags=re.S
    )
    names = '|'.join(sorted(prose.ARITY, key=len, reverse=True))
    text = re.sub(rf'\\({names})(\{{[^{{}}]*\}})+', '', text)
    text = re.sub(
        r'\d*\.?\d+(\\linewidth|pt|mm|em|ex|cm)\b|\[[^\]]*=\d[^\]]*\]',
        '',
        text,
    )
    text = ' '.join(text.split()).replace('. ', '.\n')
    for setting in SETTINGS:
        text = text.replace(setting, '')
    return text


def test_a_typed_figure_is_found():
    for typed in ('gains 1.2 mIoU', r'loses 40\,\%', r'by $+3$ points'):
        with pytest.raises(AssertionError):
            test_no_figure_is_typed_by_hand({Path('a.tex'): typed})
    said = r'gains \gain{a}{b}{c}{d_e}{f} points on $T{=}5$, 30 frames'
    test_no_figure_is_typed_by_hand({Path('a.tex'): said})


def test_every_citation_has_its_entry_and_the_other_way_round(sources):
    cited = {
        key.strip()
        for text in sources.values()
        for keys in re.findall(r'\\cite\w*{([^}]*)}', text)
        for key in keys.split(',')
    }
    bibliography = (FOLDER / 'references.bib').read_text()
    entries = re.findall(r'^@\w+{(\w+),', bibliography, re.M)
    assert len(entries) == len(set(entries))
    assert cited == set(entries)


def test_numbers_of_others_are_used_and_have_a_source(sources):
    asked = {
        arguments[0]
        for text in sources.values()
        for name, arguments in prose.calls(text)
        if name == 'lit'
    }
    known = literature(FOLDER / 'literature.yml')
    bibliography = (FOLDER / 'references.bib').read_text()
    assert asked == known.keys()
    for entry in known.values():
        key = re.match(r'\w+', entry['source'])[0]
        assert f'{{{key},' in bibliography


def test_what_is_made_is_shown(sources):
    text = '\n'.join(sources.values())
    shown = re.findall(
        r'\\(?:input|includegraphics)(?:\[[^\]]*\])?{generated/(\w+)}', text
    )
    assert sorted(shown) == sorted([*write.TABLES, *write.PLOTS, 'values'])
    labels = set(re.findall(r'\\label{([^}]*)}', text))
    refs = set(re.findall(r'\\(?:eq)?ref{([^}]*)}', text))
    assert refs <= labels
    assert {label for label in labels if label[:3] in ('tab', 'fig')} <= refs


def test_values_come_from_the_results(made_up, text):
    line = (
        r'\result{clean}{stream}{best}{mIoU}{all}'
        r'\gainci{bursts}{t5}{hold}{flicker_static}{degraded}'
        r'\relgain{bursts@val}{stream}{best}{flicker_static}{all}'
        r'\about{street}{data_seeds}\about{street}{best.title}\lit{one}'
        r'% \result{not}{in}{a}{comment}{now}'
    )
    results = Results(made_up)
    lines = prose.read_values(results, text(line)).splitlines()
    values = dict(
        re.fullmatch(r'.*csname value:(.*)\\endcsname{(.*)}', line).groups()
        for line in lines
    )
    content = json.loads((made_up / 'street_scenes/results.json').read_text())
    row = next(
        row
        for row in content['rows']
        if (row['data'], row['protocol'], row['figure'], row['entry'])
        == ('clean', 'stream', 'mIoU', content['best'])
    )
    assert values.pop('result:clean:stream:best:mIoU:all') == (
        f'{row["value"]:.1f}'
    )
    change = -4 * 3 / len(evidence.TITLES)  # hold is the fourth
    assert values.pop('gainci:bursts:t5:hold:flicker_static:degraded') == (
        rf'\ensuremath{{{change:+.2f}}} [\ensuremath{{{change - 0.3:+.2f}}}, '
        rf'\ensuremath{{{change + 0.3:+.2f}}}]'
    )
    change = 100 * -4 * 8 / len(evidence.TITLES) / 8
    assert values.pop('relgain:bursts@val:stream:best:flicker_static:all') == (
        rf'\ensuremath{{{change:+.0f}}}\,\%'
    )
    assert values.pop('about:street:data_seeds') == '3'
    assert values.pop('about:street:best.title') == 'laterals, gated EMA'
    assert values == {'lit:one': '7'}


@pytest.mark.parametrize(
    ('line', 'sentence'),
    [
        (
            r'\result{clean}{t7}{best}{mIoU}{all}',
            "no mIoU of 'laterals_gated_ema",
        ),
        (r'\result{nowhere}{t5}{best}{mIoU}{all}', "no results on 'nowhere'"),
        (r'\gain{bursts}{t5}{none}{mIoU}{all}', "there is no entry 'none'"),
        (
            r'\gain{bursts}{t5}{baseline}{mIoU}{all}',
            'the baseline differs from nothing',
        ),
        (r'\result{bursts}{t5}{best}', 'takes 5 arguments, got 3'),
        (r'\fact{steady.s0.nothing.gain}{signed}', 'there is no fact'),
        (r'\fact{steady.s0.default.gain}{loud}', "no format 'loud'"),
        (r'\lit{two}', "literature.yml has no 'two'"),
        (
            r'\claim{bursts}{t5}{best}{mIoU}{all}{worse}',
            'but the results say better: rewrite the sentence',
        ),
        (
            r'\claimorder{bursts}{t5}{hold}{best}{flicker_static}{all}',
            'but the results say',
        ),
        (
            r'\claimfact{steady.worst.default.gain}{negative}',
            'but the results say +0.660',
        ),
    ],
)
def test_what_is_not_so_is_one_sentence(made_up, text, line, sentence):
    with pytest.raises(ReportError) as error:
        prose.read_values(Results(made_up), text(line))
    said = str(error.value)
    assert sentence in said
    assert said.startswith('report.tex: ')
    assert '\n' not in said


def said(results, *keys):
    """What the text says of a benchmark."""
    benchmark = results.benchmarks['street']
    return [prose._SAID[key](benchmark) for key in keys]


@pytest.fixture
def partial(made_up, tmp_path):
    """A function that changes the made-up results, and reads them."""

    def change(alter):
        content = json.loads(
            (made_up / 'street_scenes/results.json').read_text()
        )
        alter(content)
        path = tmp_path / 'street_scenes/results.json'
        path.parent.mkdir()
        path.write_text(json.dumps(content))
        other = 'camvid_recurrent'
        (tmp_path / other).symlink_to(made_up / other)
        return Results(tmp_path)

    return change


def test_sentences_say_what_the_results_are_of(made_up, partial):
    whole = Results(made_up)
    assert said(whole, 'data_sets', 'trainings') == [
        *('three data sets', 'three trainings')
    ]
    assert said(whole, 'fewest', 'rule', 'classes') == [
        'All systems have been run on all of them',
        'Every system was measured there',
        'Every class gains',
    ]

    def alter(content):
        content['data_seeds'] = [0]
        content['trainings']['2'] = [0]
        content['rows'] = [
            row
            for row in content['rows']
            if (row['entry'], row['split']) != ('hold', 'val')
        ]
        for row in content['rows']:
            row['runs'] = 1 if row['entry'] == 'joint' else 3
        content['per_class_difference'][content['best']]['pole'] = -1.0

    results = partial(alter)
    assert said(results, 'data_sets') == ['one data set']
    assert said(results, 'trainings') == ['one to three trainings']
    fewest, rule, classes = said(results, 'fewest', 'rule', 'classes')
    assert fewest == 'In the tables one system has fewer runs'
    assert 'Of 7 systems 2 have fewer runs on validation' in rule
    assert classes == 'Of 6 classes 5 gain, and pole loses'


def test_a_fact_of_one_data_set_is_the_mean_of_its_trainings(partial):
    each = {'1/0': 5.0, '2/0': 1.0, '2/1': 2.0}

    def alter(content):
        for row in content['rows']:
            row['each'] = each
        over = dict(content['rows'][0], entry='joint')
        over |= dict(each={run: -gain for run, gain in each.items()})
        over |= dict(data='bursts', split='test', protocol='stream')
        over |= dict(subset='clean', figure='mIoU')
        content['over'] = dict(framewise_longer=[over])

    results = partial(alter)
    assert fact(results, 'street.joint.clean.2') == 1.5
    assert fact(results, 'street.joint/framewise_longer.clean.2') == -1.5
    with pytest.raises(ReportError, match='no fact'):
        fact(results, 'street.joint.clean.3')


def test_runs_of_fewer_data_sets_say_so(partial):
    def alter(content):
        content['data_seeds'] = [0, 1]
        for row in content['rows']:
            few = row['entry'] in ('joint', 'hold') or row['data'] == 'clean'
            row['each'] = {'0/0': 1.0} if few else {'0/0': 1.0, '1/0': 2.0}
            row['runs'] = len(row['each'])

    results = partial(alter)
    (fewest,) = said(results, 'fewest')
    assert fewest == (
        'In the tables two systems have fewer runs, two of them one run on '
        'one data set'
    )
    columns = {
        Column('bursts', 'stream'): 'all',
        Column('clean', 'stream'): 'clean',
    }
    named = tables.with_runs(results.benchmarks['street'], columns)
    assert list(named) == ['all', 'clean ($n=1$)']


def test_a_mean_of_fewer_runs_says_so_and_is_not_the_best(partial):
    def alter(content):
        for row in content['rows']:
            if row['entry'] == 'laterals_gated_ema':  # the best of all
                row['runs'] = 2

    table = tables.street_values(partial(alter))
    (line,) = (
        t for t in table.splitlines() if t.startswith('laterals, gated EMA &')
    )
    assert r'\textbf' not in line
    assert r'\textsuperscript{2}' in line
    assert r'\textbf' in table
    assert '($n=3$)' in table


def test_classes_without_a_comparison_are_refused(partial):
    results = partial(lambda content: content.pop('per_class_difference'))
    with pytest.raises(ResultsError, match='has no classes of'):
        said(results, 'classes')


def test_claims_that_hold_leave_nothing(made_up, text):
    line = (
        r'\claim{clean}{stream}{best}{flicker_static}{all}{better}'
        r'\claimorder{bursts}{t5}{best}{hold}{flicker_static}{all}'
        r'\claim{bursts}{t5}{framewise_longer}{mIoU}{all}{better|unsure}'
        r'\claimfact{steady.worst.default.gain}{positive}'
    )
    assert prose.read_values(Results(made_up), text(line)) == ''


def test_numbers_are_written_for_latex():
    assert numbers.signed(-1.24) == r'\ensuremath{-1.2}'
    assert numbers.signed(-0.04) == r'\ensuremath{0.0}'
    assert numbers.signed(0.126, 'flicker_static') == r'\ensuremath{+0.13}'
    row = dict(figure='mIoU', low=0.0, high=1.0)
    assert numbers.significance(row) == 'unsure'
    assert numbers.significance({**row, 'low': 0.1}) == 'better'
    row = dict(figure='flicker_static', low=0.1, high=1.0)
    assert numbers.significance(row) == 'worse'
    assert numbers.escape('a_b & 5%') == r'a\_b \& 5\%'


def test_without_results_it_is_refused(tmp_path):
    code, output = call(
        *(sys.executable, TOOLS / 'report_tables.py'),
        *('--results', tmp_path / 'none', '--folder', tmp_path),
    )
    assert code == 1
    assert output.count('\n') == 1
    assert 'bash tools/reproduce.sh makes them' in output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('content', ['[1]', '{"rows": [{}]}', '{"rows"'])
def test_results_that_are_none_are_refused(tmp_path, content):
    path = tmp_path / 'street_scenes/results.json'
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(ResultsError, match='holds no results of a benchmark'):
        Results(tmp_path)


def test_without_latex_the_build_says_what_to_install(tmp_path):
    for name in ('bash', 'dirname'):
        (tmp_path / name).symlink_to(f'/usr/bin/{name}')
    (tmp_path / 'python').symlink_to(sys.executable)
    environment = dict(PATH=str(tmp_path))
    if 'VIRTUAL_ENV' in os.environ or sys.prefix != sys.base_prefix:
        environment['PYTHONPATH'] = os.pathsep.join(map(str, sys.path))
    script = TOOLS / 'build_report.sh'
    code, output = call('/usr/bin/bash', script, **environment)
    assert code == 1
    assert output.startswith("error: 'latexmk' is missing")
    assert 'apt-get install' in output


def test_literature_is_plain_data():
    content = yaml.safe_load((FOLDER / 'literature.yml').read_text())
    for entry in content.values():
        assert entry.keys() == {'value', 'source'}
