"""What a metafile says of a config was measured: its figures are those of a
row of a committed table, or of the card of its weights."""

import csv
import re
from pathlib import Path

import pytest
from mmengine.fileio import load

ROOT = Path(__file__).resolve().parents[1]
CARDS = ROOT / 'work_dirs/checkpoints/README.md'
MEASURED = [
    (model, result)
    for path in sorted(ROOT.glob('configs/**/metafile.yml'))
    for model in load(path)['Models']
    for result in model.get('Results') or ()
]


@pytest.fixture(scope='module')
def rows():
    """The figures of each row of each ablation's table."""
    found = []
    for path in ROOT.glob('work_dirs/results/ablations/*/table.csv'):
        with open(path) as file:
            found += [
                {
                    f'{float(value):.2f}'
                    for name, value in row.items()
                    if name.endswith(' mean') and value
                }
                for row in csv.DictReader(file)
            ]
    return found


def card(weights):
    """The numbers of a model card."""
    texts = CARDS.read_text().split('\n## ')
    (text,) = (t for t in texts if t.startswith(Path(weights).name))
    return set(re.findall(r'\d+\.\d\d\b', text))


@pytest.mark.parametrize(
    ('model', 'result'),
    MEASURED,
    ids=[
        f'{model["Name"]}: {result["Dataset"]}' for model, result in MEASURED
    ],
)
def test_the_figures_are_those_of_one_row(model, result, rows):
    figures = {f'{value:.2f}' for value in result['Metrics'].values()}
    sources = list(rows)
    if 'Weights' in model:
        sources.append(card(model['Weights']))
    assert any(figures <= source for source in sources), figures


def test_there_are_some():
    assert len(MEASURED) > 20
