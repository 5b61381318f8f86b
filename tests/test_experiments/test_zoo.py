from pathlib import Path

import pytest

from mmseg_video.experiments.zoo import read_metafiles

ENTRY = """
  - Name: {name}
    In Collection: Nets
    Config: configs/{path}.py
    Metadata: {{{metadata}}}
"""


def write(root, folder, *entries):
    """A metafile of (name, path of the config, baseline), with the configs."""
    text = 'Models:'
    for name, path, baseline in entries:
        metadata = f'Framewise Baseline: {baseline}' if baseline else ''
        text += ENTRY.format(name=name, path=path, metadata=metadata)
        config = root / 'configs' / f'{path}.py'
        config.parent.mkdir(parents=True, exist_ok=True)
        config.touch()
    metafile = Path(root, 'configs', folder, 'metafile.yml')
    metafile.parent.mkdir(parents=True, exist_ok=True)
    metafile.write_text(text)
    return root / 'configs'


def test_framewise_models_come_first_and_baselines_cross_folders(tmp_path):
    write(tmp_path, 'b', ('rnn_b', 'b/rnn_b', 'net'), ('b', 'b/b', None))
    configs = write(tmp_path, '', ('net', 'net', None))
    models = read_metafiles(configs)
    assert list(models) == ['net', 'b', 'rnn_b']
    assert models['rnn_b'].baseline == 'net'
    assert models['b'].baseline is None
    assert models['b'].collection == 'Nets'
    assert models['b'].config == configs / 'b/b.py'


def test_what_is_wrong_is_one_sentence(tmp_path):
    configs = write(tmp_path, '', ('net', 'net', 'none'))
    with pytest.raises(ValueError, match="baseline 'none' of 'net'"):
        read_metafiles(configs)
    write(tmp_path, '', ('other', 'net', None))
    with pytest.raises(ValueError, match='not the name of net'):
        read_metafiles(configs)
    write(tmp_path, 'b', ('net', 'b/net', None))
    write(tmp_path, '', ('net', 'net', None))
    with pytest.raises(ValueError, match='unique over all folders'):
        read_metafiles(configs)
    (configs / 'b/net.py').unlink()
    with pytest.raises(FileNotFoundError, match='configs/b/net'):
        read_metafiles(configs)
    (configs / 'b/metafile.yml').write_text('Models: [{Name: net}]')
    with pytest.raises(ValueError, match='an entry needs Name'):
        read_metafiles(configs)
