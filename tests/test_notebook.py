"""demo/overview.ipynb: executed, whole, and still running."""

import json
import re
from html.parser import HTMLParser

import pytest
import torch
from mmseg.registry import MODELS

from mmseg_video.engine.launch import load_config
from tests.commands import ROOT

pytest.importorskip('IPython')
NOTEBOOK = ROOT / 'demo/overview.ipynb'
PAGE = NOTEBOOK.with_suffix('.html')
BUILD = 'bash tools/build_notebook.sh'
# Where files lie on the machine that executed it.
MACHINE_PATH = re.compile(
    r'(?<![\w.:/])/(?:home|root|work|tmp|usr|opt|mnt|Users|private)/\w'
    r'|site-packages'
)


def cells(kind):
    read = json.loads(NOTEBOOK.read_text())
    return [c for c in read['cells'] if c['cell_type'] == kind]


def source(cell):
    return ''.join(cell['source'])


def without_pictures(text):
    """Base64 may hold anything."""
    return re.sub(r'[A-Za-z0-9+/=\n\\]{200,}', '', text)


class Text(HTMLParser):
    """What a browser shows of a page, and what it fetches."""

    def __init__(self):
        super().__init__()
        self.parts, self.fetched, self._hidden = [], [], False

    def handle_starttag(self, tag, attributes):
        self._hidden = tag in ('style', 'script')
        for name, value in attributes:
            if name == 'src' or (tag == 'link' and name == 'href'):
                self.fetched.append(value[:60])

    def handle_endtag(self, tag):
        self._hidden = False

    def handle_data(self, data):
        if not self._hidden:
            self.parts.append(data)


@pytest.fixture(scope='module')
def page():
    parser = Text()
    parser.feed(PAGE.read_text())
    return parser


def test_is_executed_from_top_to_bottom_without_an_error():
    code = cells('code')
    counts = [cell['execution_count'] for cell in code]
    assert counts == list(range(1, len(code) + 1)), BUILD
    outputs = [out for cell in code for out in cell['outputs']]
    assert not [o for o in outputs if o['output_type'] == 'error']
    assert not [o for o in outputs if o.get('name') == 'stderr']
    pictures = [
        kind
        for out in outputs
        for kind in out.get('data', {})
        if kind.startswith('image/')
    ]
    assert len(pictures) > 10
    # GitHub and nbviewer show neither widgets nor scripts.
    kinds = {kind for out in outputs for kind in out.get('data', {})}
    assert kinds <= {'image/png', 'image/jpeg', 'text/markdown', 'text/plain'}


def test_the_page_is_of_the_same_sources(page):
    shown = ''.join(''.join(page.parts).split())
    for cell in cells('code'):
        code = ''.join(source(cell).split())
        assert code in shown, f'{BUILD}: {source(cell)[:200]}'
    for cell in cells('markdown'):
        for line in source(cell).splitlines():
            if line.startswith('#'):
                assert ''.join(line.strip('# ').split()) in shown, BUILD


def test_the_page_needs_nothing_from_elsewhere(page):
    assert all(url.startswith('data:') for url in page.fetched)
    styles = without_pictures(PAGE.read_text())
    assert not re.search(r'url\([\'"]?https?:|@import', styles)


@pytest.mark.parametrize('path', [NOTEBOOK, PAGE], ids=lambda p: p.name)
def test_no_path_of_a_machine_and_a_size_that_loads(path):
    found = MACHINE_PATH.findall(without_pictures(path.read_text()))
    assert found == []
    assert path.stat().st_size < 6e6


def test_every_picture_has_words():
    outputs = [o for c in cells('code') for o in c.get('outputs', ())]
    pictures = [
        output['metadata'].get(kind, {}).get('alt', '')
        for output in outputs
        for kind in output.get('data', ())
        if kind.startswith('image/')
    ]
    assert len(pictures) > 10
    assert all(len(words) > 20 for words in pictures), pictures
    assert 'No description' not in without_pictures(PAGE.read_text())


def random_weights(config, folder):
    """'CONFIG CHECKPOINT' of a model that knows nothing."""
    torch.manual_seed(0)
    model = MODELS.build(load_config(config).model)
    torch.save(dict(state_dict=model.state_dict()), folder / f'{config}.pth')
    return f'{config} {folder / config}.pth'


def test_runs_in_a_short_form(tmp_path, monkeypatch, capsys):
    recurrent = 'rnn_unet_street'
    settings = dict(
        OVERVIEW_SHORT='1',
        OVERVIEW_OUT=str(tmp_path / 'out'),
        OVERVIEW_FRAMEWISE=random_weights('unet_street', tmp_path),
        OVERVIEW_RECURRENT=random_weights(recurrent, tmp_path),
    )
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    names = {}
    for cell in cells('code'):
        exec(compile(source(cell), source(cell)[:60], 'exec'), names)
    assert names['nets'].keys() == {'framewise', 'recurrent'}
    assert names['memories'].keys() == {'recurrent', 'steadied'}
    assert 'mIoU' in names['results']['stream']['figures']
    assert not MACHINE_PATH.search(capsys.readouterr().out)


def test_a_model_without_a_checkpoint_is_refused_with_the_command(
    tmp_path, monkeypatch
):
    monkeypatch.setenv('OVERVIEW_OUT', str(tmp_path))
    monkeypatch.setenv('OVERVIEW_FRAMEWISE', 'unet_cityscapes')
    imports, settings = cells('code')[:2]
    names = {}
    exec(source(imports), names)
    with pytest.raises(SystemExit, match='mmseg-video train unet_cityscapes'):
        exec(source(settings), names)
    assert list(tmp_path.iterdir()) == []
