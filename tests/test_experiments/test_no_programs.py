"""A spec is data: what it sets makes nothing run that is no class of ours."""

import pytest
import yaml

from mmseg_video.experiments.no_programs import refuse_programs
from mmseg_video.experiments.resolve import resolve
from mmseg_video.experiments.spec import read_spec
from tests.runs import leaf

PROGRAMS = {
    'a function': {'custom_hooks': [{'type': 'os.system', 'command': 'x'}]},
    'a function, dotted': {'model.neck.type': 'os.system'},
    'a function of the frameworks': {'model.neck': {'type': 'mmengine.load'}},
    'of a package of no scope': {'model.neck': {'type': 'mmcv.imread'}},
    'a class by its path': {'model.neck.type': 'mmengine.model.BaseModule'},
    'a function that is not imported yet': {
        'model.neck.type': 'antigravity.fly'
    },
    'a module': {'model.neck.type': 'antigravity'},
    'a constructor': {'optim_wrapper.constructor': 'os.system'},
    'another type': {'model.decode_head.conv_type': 'builtins.exec'},
    'modules': {'custom_imports': {'imports': ['evil']}},
    'modules, dotted': {'custom_imports.imports': ['evil']},
    'another scope': {'model.neck': {'_scope_': 'evil'}},
    'another default scope': {'default_scope': 'evil'},
    'a pickle': {'model.decode_head.loss_decode': {'class_weight': 'w.PKL'}},
}
SETTINGS = {
    'model.decode_head.loss_decode': [{'type': 'LabelSmoothingLoss'}],
    'optim_wrapper.optimizer': {'type': 'AdamW', 'lr': 0.1},
    'optim_wrapper.constructor': 'AdversarialOptimWrapperConstructor',
    'model.backbone': {'type': 'mmpretrain.TIMMBackbone'},
    'custom_hooks': [{'type': 'mmseg.EMAHook', '_scope_': 'mmengine'}],
    'model.neck.type': 'NoSuchNeck',  # refused by others
    'model.neck.cell': {'type': 'GatedEMACell', 1: 2},
    'load_from': 'https://x.org/weights.pth',
    'work_dir': 'os.system',
}


@pytest.mark.parametrize('case', PROGRAMS)
def test_programs_are_refused(case):
    [place] = PROGRAMS[case]
    with pytest.raises(ValueError, match=f'^{place}') as error:
        refuse_programs(PROGRAMS[case])
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('place', SETTINGS)
def test_settings_are_not(place):
    refuse_programs({place: SETTINGS[place]})


def test_a_spec_calls_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hook = {'type': 'os.system', 'command': 'touch ran'}
    path = tmp_path / 'evil.yml'
    own = {'overrides': {'custom_hooks': [hook]}}
    entry = {'config': str(leaf('unet_street'))}
    for content in (
        {'entries': {'a': entry}, **own},
        {'entries': {'a': {**entry, **own}}},
    ):
        path.write_text(yaml.safe_dump(content))
        with pytest.raises(ValueError, match=r"'a': .*'os.system' is none"):
            resolve(read_spec(path).entries['a'])
    assert not (tmp_path / 'ran').exists()
