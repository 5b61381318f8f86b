import json
import sys

import numpy as np
import pytest
from PIL import Image

from tests.commands import TOOLS, call, load_tool

TOOL = load_tool('dataset_converters/cityscapes')
STEM = 'gtFine/val/ulm/ulm_00000{}_000019_gtFine_'


def square(label, low, high):
    corners = [[low, low], [high, low], [high, high], [low, high]]
    return dict(label=label, polygon=corners)


OBJECTS = [
    square('road', 0, 31),
    square('cargroup', 2, 9),
    square('ego vehicle', 12, 18),
    square('license plate', 20, 25),
    square('bicycle', 26, 30),
]


def polygons(root, i, objects=OBJECTS):
    path = root / f'{STEM.format(i)}polygons.json'
    path.parent.mkdir(parents=True, exist_ok=True)
    content = dict(imgHeight=32, imgWidth=32, objects=objects)
    path.write_text(json.dumps(content))
    return path


def label_ids(root, i, ids):
    path = root / f'{STEM.format(i)}labelIds.png'
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(ids)).save(path)
    return path


def made(root, i):
    return root / f'{STEM.format(i)}labelTrainIds.png'


def test_both_ways_agree(tmp_path):
    from cityscapesscripts.preparation.json2labelImg import json2labelImg

    source = polygons(tmp_path, 0)
    ids = tmp_path / f'{STEM.format(1)}labelIds.png'
    json2labelImg(str(source), str(ids), 'ids')
    TOOL.main([str(tmp_path), '--workers', '1'])
    one, two = (np.array(Image.open(made(tmp_path, i))) for i in (0, 1))
    assert np.array_equal(one, two)
    # Road, car, bicycle, and what is ignored.
    assert np.unique(one).tolist() == [0, 13, 18, 255]


def test_every_id(tmp_path):
    ids = np.arange(34, dtype=np.uint8)[None]
    label_ids(tmp_path, 0, np.concatenate([ids, ids * 0 + 255]))
    TOOL.main([str(tmp_path), '--workers', '1'])
    label = np.array(Image.open(made(tmp_path, 0)))
    assert label.dtype == np.uint8
    assert label[0, [0, 7, 8, 11, 23, 26, 29, 33]].tolist() == [
        *(255, 0, 1, 2, 10, 13, 255, 18)
    ]
    assert (label[1] == 255).all()
    assert sorted(set(label[0].tolist())) == [*range(19), 255]


def test_label_ids_come_first(tmp_path):
    polygons(tmp_path, 0)
    label_ids(tmp_path, 0, np.full((32, 32), 8, np.uint8))
    TOOL.main([str(tmp_path), '--workers', '1'])
    assert (np.array(Image.open(made(tmp_path, 0))) == 1).all()


def test_resume_and_out(tmp_path, capsys):
    for i in range(3):
        polygons(tmp_path, i)
    out = tmp_path / 'out'
    TOOL.main([str(tmp_path), '--out', str(out), '--workers', '2'])
    labels = sorted(out.rglob('*.png'))
    assert len(labels) == 3
    assert labels[0].relative_to(out).parts[:2] == ('val', 'ulm')
    assert not list(tmp_path.rglob('*.tmp'))
    labels[1].unlink()
    before = labels[0].stat().st_mtime_ns
    capsys.readouterr()
    TOOL.main([str(tmp_path), '--out', str(out), '--workers', '1'])
    assert '1 labels made, 2 were there' in capsys.readouterr().out
    assert labels[0].stat().st_mtime_ns == before


def test_interrupted_write_leaves_nothing(tmp_path, monkeypatch):
    polygons(tmp_path, 0)

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr('os.replace', stop)
    with pytest.raises(KeyboardInterrupt):
        TOOL.main([str(tmp_path), '--workers', '1'])
    names = [path.name for path in made(tmp_path, 0).parent.iterdir()]
    assert names == ['ulm_000000_000019_gtFine_polygons.json']


@pytest.mark.parametrize('workers', ['1', '2'])
@pytest.mark.parametrize(
    'source', ['unknown id', 'unknown label', 'broken json', '16 bit']
)
def test_bad_sources(tmp_path, source, workers, capsys):
    if source == 'unknown id':
        path = label_ids(tmp_path, 0, np.full((4, 4), 77, np.uint8))
    elif source == '16 bit':
        path = label_ids(tmp_path, 0, np.full((4, 4), 26000, np.uint16))
    elif source == 'unknown label':
        # cityscapesscripts calls sys.exit here.
        path = polygons(tmp_path, 0, [square('ufo', 0, 9)])
    else:
        path = polygons(tmp_path, 0)
        path.write_text('{')
    assert path.name in error(capsys, tmp_path, '--workers', workers)
    assert not made(tmp_path, 0).exists()


def error(capsys, *arguments):
    """The one sentence that a run ends in."""
    with pytest.raises(SystemExit):
        TOOL.main([*map(str, arguments)])
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_nothing_there(tmp_path, capsys):
    assert 'error: no folder' in error(capsys, tmp_path)
    (tmp_path / 'gtFine').mkdir()
    assert 'nothing to convert' in error(capsys, tmp_path)
    assert 'must be >= 1, got 0' in error(capsys, tmp_path, '--workers', 0)


def test_as_a_command(tmp_path):
    polygons(tmp_path, 0)
    tool = TOOLS / 'dataset_converters/cityscapes.py'
    code, output = call(sys.executable, tool, tmp_path, '--workers', 1)
    assert code == 0, output
    # Nothing else, such as what libraries print, but a bar.
    lines = [line for line in output.splitlines() if line.strip()]
    (said,) = [line for line in lines if '%|' not in line]
    assert said.startswith('1 labels made, 0 were there')
    assert made(tmp_path, 0).exists()
