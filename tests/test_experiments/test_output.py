import json

import numpy as np
import pytest

from mmseg_video.experiments.output import (
    markdown_table,
    save_figure,
    subplots,
    to_json,
)


def test_a_table():
    rows = [['a', 1, 2.5], ['**b**', None, np.float64('nan')]]
    assert markdown_table(['', 'n', 'x'], rows) == (
        '|  | n | x |\n|---|---|---|\n| a | 1 | 2.50 |\n| **b** |  |  |\n'
    )


def test_what_is_no_number_is_null():
    assert json.loads(to_json(dict(a=[float('nan'), 1]))) == dict(a=[None, 1])


def test_a_figure_that_fails_leaves_the_one_of_before(tmp_path):
    path = tmp_path / 'a.png'
    figure, ((axis,),) = subplots(1, 1, (2, 2))
    axis.plot([1, 2])
    save_figure(figure, path)
    before = path.read_bytes()
    axis.set_title('$\\nosuch$')
    with pytest.raises(ValueError, match='nosuch'):
        save_figure(figure, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
