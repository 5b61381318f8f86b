"""What the README, docs/en and the configs' READMEs say exists and works."""

import argparse
import importlib.util
import re
import shlex
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path

import mmseg
import pytest
import torch
import yaml
from mmengine import Config
from mmengine.registry import (
    DATA_SAMPLERS,
    HOOKS,
    MODEL_WRAPPERS,
    RUNNERS,
    VISBACKENDS,
)
from mmseg.registry import DATASETS, METRICS, MODELS, TRANSFORMS

from mmseg_video.cli.main import COMMANDS
from mmseg_video.cli.main import main as mmseg_video_command
from mmseg_video.engine.launch import revert_sync_bn
from mmseg_video.flow.estimators import OPTICAL_FLOWS
from tests import docs
from tests.docs import ROOT, pages

REGISTRIES = (
    *(MODELS, DATASETS, TRANSFORMS, METRICS, HOOKS, VISBACKENDS),
    *(DATA_SAMPLERS, OPTICAL_FLOWS, MODEL_WRAPPERS, RUNNERS),
)
PAGES = sorted(pages())
LISTED = docs.listed()
# Words of an earlier time, and no word of the field's.
PRIVATE = re.compile(
    r'\b(twins?|along the motion|seen along|unfounded|gated average'
    r'|average of the past|believed?|verdict|judges?|unbroken'
    r'|in_background|plain_batch_norm|on_lacking|as long in time'
    r'|explains the change|worth as much|where they are at home)\b',
    re.I,
)
# Other projects' options and scripts.
FOREIGN = {
    *('--help', '--no-deps', '--force-reinstall', '--logdir'),
    '--nnodes',  # torchrun's
}


@pytest.fixture(params=PAGES)
def page(request):
    return request.param


def test_there_is_a_page_for_everything():
    assert len(PAGES) > 20
    assert len(pages()['README.md'].splitlines()) <= 220


def test_words_are_the_fields(page):
    found = PRIVATE.findall(pages()[page])
    assert found == []


def test_every_link_leads_somewhere(page):
    text, folder = pages()[page], (ROOT / page).parent
    broken = []
    for target in docs.links(text):
        if '://' in target:
            continue
        path, _, anchor = target.partition('#')
        there = (folder / path).resolve() if path else ROOT / page
        if there.name == 'model_zoo.md' and not anchor:
            continue  # generated when the docs are built
        if not there.exists() or (
            anchor and anchor not in docs.anchors(there.read_text())
        ):
            broken.append(target)
    assert broken == []


def test_every_path_exists(page):
    text = pages()[page]
    pattern = (
        r'(?<![\w/.-])((?:configs|tools|demo|docs|tests|mmseg_video'
        r'|work_dirs/results)/[\w./*?{},-]*[\w*}/])'
    )
    missing = []
    for path in set(re.findall(pattern, text)):
        if '...' in path or path.rstrip('/') in LISTED['paths_elsewhere']:
            continue
        found = [path]
        for choice in re.findall(r'{([^}]*)}', path):
            found = [
                p.replace('{' + choice + '}', c)
                for p in found
                for c in choice.split(',')
            ]
        missing += [
            p
            for p in found
            if not list(ROOT.glob(p.rstrip('/')))
            and not (ROOT / page).parent.joinpath(p).exists()
        ]
    assert missing == []


def test_every_bare_file_exists(page):
    """`NAME.py` alone is a file of a folder that the page names."""
    text = pages()[page]
    folders = ('configs', 'mmseg_video', 'tools')
    files = {p.name for f in folders for p in (ROOT / f).rglob('*.*')}
    files |= {path.name for path in ROOT.glob('*.*')}
    bare = set(re.findall(r'`([\w*{},-]+\.(?:py|yml))`', text))
    missing = [
        name
        for name in bare - {'metafile.yml'}
        if not any(Path(file).match(name) for file in files)
    ]
    assert missing == []


def _is_class(name: str) -> bool:
    return name in docs.names() or any(r.get(name) for r in REGISTRIES)


def test_every_class_exists(page):
    text = pages()[page]
    own = set().union(*map(_defined, docs.blocks(text, 'python')), set())
    named = {
        span
        for span in docs.spans(text)
        if re.fullmatch(r'[A-Z][a-z]*[A-Z]\w*|[A-Z][a-z]+[A-Z]\w+', span)
    }
    code = '\n'.join([*docs.spans(text), *docs.blocks(text, 'python')])
    named |= set(re.findall(r"\btype='?(\w+)'?", code))
    unknown = {
        name
        for name in named - own - {'Name', 'Metadata'}
        if not name.isupper() and not _is_class(name)
    }
    assert unknown == set()


def _defined(code: str) -> set[str]:
    try:
        return docs.defined(code)
    except SyntaxError:
        return set()


def test_every_key_exists(page):
    text = pages()[page]
    code = [*docs.spans(text), *docs.commands(text)]
    keys = set()
    for span in code:
        if span.startswith(('pip ', 'PYTHON', 'MMSEG', 'NNODES', 'GPUS')):
            continue
        for key in re.findall(r'(?<![\w.-])([a-z_][\w.]*)=(?![=>])', span):
            keys |= {part for part in key.split('.') if not part.isdigit()}
    unknown = {key for key in keys if key not in docs.names()}
    unknown -= set(LISTED['keys_of_others'])
    assert unknown == set()


def test_every_option_exists(page):
    text = pages()[page]
    named = {
        option
        for span in docs.spans(text)
        for option in re.findall(r'(?<![\w-])--[a-z][a-z-]*', span)
    }
    assert named - docs.options() - FOREIGN == set()


# Commands


@cache
def _tool(path: str):
    """The module that reads the command line of a tool of ours."""
    if path.startswith('mmseg-video '):
        return import_module(f'mmseg_video.cli.{path.split()[1]}')
    name = f'docs_{Path(path).stem}'
    spec = importlib.util.spec_from_file_location(name, ROOT / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # Thin tools take theirs from the package.
    return sys.modules.get(module.main.__module__, module)


class _Parsed(BaseException):
    pass


def _parse(path: str, arguments: list[str], monkeypatch) -> None:
    """Let the tool read its command line, and no more."""
    module = _tool(path)
    monkeypatch.setattr(sys, 'argv', [path, *arguments])
    if hasattr(module, 'parse_args'):
        module.parse_args()
        return
    parse = argparse.ArgumentParser.parse_args

    def stop(*args, **kwargs):
        raise _Parsed(parse(*args, **kwargs))

    with monkeypatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, 'parse_args', stop)
        with pytest.raises(_Parsed):
            module.main()


# They have no parser of ours behind them.
OWN_SCRIPTS = [
    f'tools/{name}.sh'
    for name in (
        *('run_tests', 'build_docs', 'build_notebook', 'build_report'),
        'reproduce',
    )
]


def _python_of(command: str) -> tuple[str, list[str]] | None:
    """The Python tool of a command and its arguments, if it is one of ours."""
    words = [w for w in shlex.split(command) if not re.match(r'[A-Z_]+=', w)]
    if words[0] in ('python', 'bash'):
        words = words[1:]
    tool, arguments = words[0], words[1:]
    if command in ('mmseg-video --help', 'mmseg-video configs'):
        return None
    if tool == 'mmseg-video':
        module = COMMANDS[arguments[0]].module
        return f'mmseg-video {module}', arguments[1:]
    if tool in OWN_SCRIPTS:
        return None
    if not tool.startswith(('tools/', 'demo/')):
        return None
    if tool == 'tools/quickstart.sh':
        return 'tools/quickstart.py', arguments
    launched = re.fullmatch(r'tools/(dist|slurm)_(train|test)\.sh', tool)
    if launched:
        launcher, name = launched.groups()
        own = 1 if name == 'train' else 2  # CONFIG [CHECKPOINT]
        if launcher == 'slurm':
            assert len(arguments) >= 2 + own
            return f'tools/{name}.py', arguments[2:]
        assert len(arguments) > own
        rest = arguments[:own] + arguments[own + 1 :]
        return f'tools/{name}.py', rest
    return tool, arguments


def test_every_command_line_is_understood(page, monkeypatch, capsys):
    text = pages()[page]
    for line in [*docs.commands(text), *docs.inline_commands(text)]:
        if (
            line.startswith(('pip ', 'pre-commit ', 'python -'))
            or ' ... ' in line
        ):
            continue
        tool = _python_of(line)
        if tool is None:
            script = re.search(r'tools/\S+\.sh|mmseg-video', line)
            assert script, f'no command of ours: {line}'
            continue
        if 'N' in tool[1] and '--seed' in tool[1]:
            tool[1][tool[1].index('N')] = '1'
        try:
            _parse(*tool, monkeypatch)
        except SystemExit as end:
            if end.code:  # --help has none
                pytest.fail(f'{line}\n{capsys.readouterr().err}')


def test_extras_exist():
    setup = (ROOT / 'setup.cfg').read_text()
    extras = setup.split('[options.extras_require]')[1].split('\n[')[0]
    have = set(re.findall(r'^(\w+) *=', extras, re.M))
    named = set()
    for text in pages().values():
        named |= set(re.findall(r"pip install -e '\.\[(\w+)\]'", text))
    assert named
    assert named <= have


def test_every_command_is_run_by_a_test_or_listed():
    found = docs.commands_of_pages()
    entries = [*LISTED['run'], *LISTED['not_run']]
    patterns = [entry['command'] for entry in entries]
    unmatched = [
        c for c in found if not any(re.fullmatch(p, c) for p in patterns)
    ]
    assert unmatched == []
    stale = [p for p in patterns if not any(re.fullmatch(p, c) for c in found)]
    assert stale == []


def test_the_tests_that_run_them_exist():
    for entry in LISTED['run']:
        path, _, name = entry['test'].partition('::')
        assert f'def {name}(' in (ROOT / path).read_text(), entry
    assert all(entry['why'] for entry in LISTED['not_run'])


def test_options_of_commands_are_used_by_a_test():
    """Of the commands that a test runs."""
    text = ''.join(p.read_text() for p in (ROOT / 'tests').rglob('*.py'))
    used = set(re.findall(r'--[a-z][a-z-]*', text))
    used |= {entry['option'] for entry in LISTED['options']}
    not_run = [entry['command'] for entry in LISTED['not_run']]
    for page in pages().values():
        for command in docs.commands(page):
            if any(re.fullmatch(p, command) for p in not_run):
                continue
            named = set(re.findall(r'(?<=\s)--[a-z][a-z-]*', command))
            assert named - FOREIGN <= used, command


# Code


def test_python_can_be_read_and_imports_what_exists(page):
    for code in docs.blocks(pages()[page], 'python'):
        compile(code, page, 'exec')
        for module, names in re.findall(
            r'^from (mmseg_video[\w.]*) import ([\w, ]+)$', code, re.M
        ):
            for name in names.split(','):
                assert hasattr(import_module(module), name.strip())


def _code(page: str, heading: str, language: str = 'python') -> str:
    """The first block below a heading."""
    section = re.split(rf'^#+ {heading}$', pages()[page], flags=re.M)[1]
    return docs.blocks(section, language)[0]


def _config(code: str, tmp_path: Path) -> Config:
    """What stands next to our configs, read from another folder."""
    code = re.sub(r"'\./(\w)", rf"'{ROOT}/configs/\1", code)
    path = tmp_path / 'config.py'
    path.write_text(code)
    return Config.fromfile(path)


ANY = 'docs/en/advanced_guides/any_mmseg_model.md'
DATA = 'docs/en/user_guides/dataset_prepare.md'
EXTEND = 'docs/en/advanced_guides/extend.md'


@torch.no_grad()
def test_any_mmseg_model_becomes_recurrent(tmp_path):
    code = _code(ANY, 'Make it recurrent in eight lines')
    assert len(code.splitlines()) <= 8
    mim = f'{Path(mmseg.__file__).parent}/.mim'
    cfg = _config(code.replace('/path/to/mmsegmentation', mim), tmp_path)
    revert_sync_bn(cfg.model)
    cfg.model.pretrained = None
    model = MODELS.build(cfg.model).eval()
    assert type(model.decode_head).__name__ == 'DepthwiseSeparableASPPHead'
    (sample,) = model.predict(torch.randn(1, 3, 3, 64, 64))
    assert sample.seg_logits.shape == (64, 64)
    first, states = model.step(torch.randn(1, 3, 64, 64))
    assert first.shape == (1, 19, 64, 64)
    assert len(states) == 4


def test_the_config_for_vspw(tmp_path):
    cfg = _config(_code(DATA, 'VSPW'), tmp_path)
    data = cfg.train_dataloader.dataset
    assert (data.type, data.num_frames) == ('VSPWSequenceDataset', 8)
    assert set(data.data_prefix) == {'img_path', 'seg_map_path'}
    assert cfg.test_dataloader.dataset.ann_file == 'val.txt'


def test_the_first_steps_in_python():
    code = _code('docs/en/get_started.md', 'Check it in Python')
    # In a process of its own, where nothing is registered yet.
    printed = subprocess.run(
        [sys.executable, '-c', code],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert '1, 19, 128, 256' in printed
    assert 'neck.0.' in printed


@torch.no_grad()
def test_a_cell_and_a_filter_of_ones_own():
    try:
        exec(_code(EXTEND, 'A cell'), {})
        exec(_code(EXTEND, 'A filter'), {})
        cell = dict(type='MinimalGatedCell')
        rnn = MODELS.build(dict(type='ConvRNN', in_channels=4, cell=cell))
        out, state = rnn(torch.randn(1, 3, 4, 8, 8))
        assert out.shape == (1, 3, 4, 8, 8)
        own = MODELS.build(dict(type='MyFilter'))
        logits = torch.randn(1, 4, 8, 8)
        filtered, state = own(logits)
        assert torch.equal(filtered, logits)
        filtered, state = own(logits - 1, state, torch.zeros(1, 3, 8, 8))
        assert filtered.shape == logits.shape
    finally:
        for name in ('MinimalGatedCell', 'MyFilter'):
            MODELS.module_dict.pop(name, None)


def test_the_faq_quotes_what_is_said():
    said = docs.sentences()
    quotes = re.findall(r'^> (.*)$', pages()['docs/en/notes/faq.md'], re.M)
    assert len(quotes) > 20
    unsaid = [
        quote
        for quote in quotes
        if not all(part in said for part in quote.split('…'))
    ]
    assert unsaid == []


def test_the_command_makes_street_scenes(tmp_path, monkeypatch):
    line = (
        f'mmseg-video street-scenes {tmp_path} --train 1 --val 1 '
        '--test 0 --size 64 128 --frames 18 19 --all-labels --workers 1'
    )
    monkeypatch.setattr(sys, 'argv', line.split())
    mmseg_video_command()
    frames = list(tmp_path.glob('leftImg8bit_sequence/*/*/*.png'))
    assert len(frames) == 4


# The API


def test_the_api_page_has_what_the_package_exports():
    page = (ROOT / 'docs/en/api.md').read_text()
    rooms = ('apis', 'models', 'datasets', 'evaluation', 'visualization')
    for room in (*rooms, 'engine.hooks'):
        names = import_module(f'mmseg_video.{room}').__all__
        listed = re.findall(r'^   (?:\w+\.)*(\w+)$', page, re.M)
        assert set(names) <= set(listed), room


# The model zoo


def test_the_zoo_has_every_config_of_the_metafiles(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / 'docs/en'))
    text = import_module('model_zoo').model_zoo(ROOT, ROOT / 'docs/en')
    for path in (ROOT / 'configs').rglob('metafile.yml'):
        for entry in yaml.safe_load(path.read_text())['Models']:
            assert f'[{entry["Name"]}](' in text
    for target in docs.links(text):
        if '://' not in target:
            assert (ROOT / 'docs/en' / target).exists()
    (line,) = (t for t in text.splitlines() if 'camvid.pth' in t)
    assert 'CC BY-NC' in line
