import json

import numpy as np
from PIL import Image

from mmseg_video.choices import CORRUPTIONS
from mmseg_video.datasets.corruptions import SEVERITIES
from mmseg_video.experiments.comparison_report import (
    as_markdown,
    write_robustness,
)


def test_models_are_named_with_their_weights():
    models = dict(baseline=('unet', None), model=('rnn_unet', 'iter_2.pth'))
    text = as_markdown(dict(figures={}, classes={}, models=models))
    assert text.endswith(
        '\n- baseline: `unet`, its published weights'
        '\n- model: `rnn_unet`, `iter_2.pth`\n'
    )


def test_robustness_is_a_row_for_each_kind_and_strength(tmp_path):
    values = dict(baseline=30.0, model=31.0, difference=1.0, low=0.5, high=1.5)
    report = dict(figures=dict(mIoU=values, flicker=values))
    reports = {
        kind: dict.fromkeys((0, *SEVERITIES), report) for kind in CORRUPTIONS
    }
    text = write_robustness(reports, tmp_path)
    assert len(text.splitlines()) == 2 + 6 * 4
    assert '| jpeg | 2 | 30.00 | 31.00 | +1.00 | +0.50 to +1.50 |' in text
    assert Image.open(tmp_path / 'robustness.png').width > 500
    figures = json.loads((tmp_path / 'robustness.json').read_text())
    assert figures['dark']['3']['mIoU'] == values
    # Of clips in one sequence: no flicker, no interval.
    values = dict(values, low=np.nan, high=np.nan)
    report = dict(figures=dict(mIoU=values))
    reports = {
        kind: dict.fromkeys((0, *SEVERITIES), report) for kind in CORRUPTIONS
    }
    text = write_robustness(reports, tmp_path)
    assert '| jpeg | 2 | 30.00 | 31.00 | +1.00 |  |  |  |' in text
    assert 'NaN' not in (tmp_path / 'robustness.json').read_text()
