"""Whatever is raised becomes one sentence."""

import sys

import cv2
import numpy as np
import pytest
import torch
from mmengine import Config

from mmseg_video.engine.launch import (
    GUARDS,
    add_guards,
    check_unlabelled,
    cli,
    load_config,
    set_up_processes,
)
from tests.runs import leaf


def too_much_opencv():
    np_frame = np.zeros((1, 1), np.uint8)
    cv2.resize(np_frame, (2**30, 2**30))


def too_much_numpy():
    np.zeros(2**60, np.uint8)


def too_much_torch():
    torch.zeros(2**50)


def said(raises, capfd, monkeypatch):
    monkeypatch.delenv('MMSEG_VIDEO_DEBUG', raising=False)
    with pytest.raises(SystemExit) as end:
        cli(raises)()
    assert end.value.code == 1
    (line,) = capfd.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(
    'raises', [too_much_opencv, too_much_numpy, too_much_torch]
)
def test_memory_that_is_not_there(raises, capfd, monkeypatch):
    line = said(raises, capfd, monkeypatch)
    assert line.startswith('error: there is not enough memory (')
    assert 'DEBUG' not in line


@pytest.mark.parametrize('below', ['', 'a/b'])
def test_a_file_in_the_place_of_a_folder(below, tmp_path, capfd, monkeypatch):
    path = tmp_path / 'file'
    path.touch()

    def make():
        (path / below).mkdir(parents=True)

    line = said(make, capfd, monkeypatch)
    assert line.startswith(f"error: '{path}")
    assert 'where a folder is to be' in line


def test_a_key_without_words_names_its_place(capfd, monkeypatch):
    line = said(lambda: {}['a'], capfd, monkeypatch)
    assert line.startswith('error: KeyError: a (test_launch.py, line ')
    assert line.endswith('MMSEG_VIDEO_DEBUG=1 to see more')


def test_a_hook_that_is_none_is_left_out():
    """MMEngine leaves out its own, and stops at others."""
    names = ('speed', 'visualization', 'logger', 'no_such')
    cfg = load_config(
        str(leaf('unet_street')),
        {f'default_hooks.{name}': None for name in names},
    )
    assert not {'speed', 'visualization', 'no_such'} & set(cfg.default_hooks)
    assert cfg.default_hooks.logger is None
    assert cfg.default_hooks.checkpoint.type == 'CheckpointHook'


class TestGuards:
    @pytest.mark.parametrize('hooks', [None, [], [dict(type='EMAHook')]])
    def test_a_config_that_has_none_gets_them(self, hooks):
        cfg = Config(dict(custom_hooks=hooks))
        add_guards(cfg, False)
        types = [hook.type for hook in cfg.custom_hooks]
        assert types == [hook['type'] for hook in hooks or []] + [*GUARDS]

    def test_those_that_are_there_stay_as_they_are(self):
        hooks = [dict(type=kind) for kind in GUARDS[1:]]
        hooks[0]['type'] = f'mmseg.{GUARDS[1]}'
        report = dict(type='CheckpointReportHook', new=['a'])
        cfg = Config(
            dict(custom_hooks=hooks, default_hooks=dict(a=report, b=None))
        )
        add_guards(cfg, True)
        assert cfg.custom_hooks == hooks
        assert cfg.default_hooks.a == dict(report, allow_partial=True)
        cfg = Config(dict(custom_hooks=[report]))
        add_guards(cfg, False)
        assert cfg.custom_hooks[0] == report

    def test_a_teacher_in_either_place(self):
        data = dict(dataset=dict(type='UnlabelledFrames'))
        cfg = Config(dict(train_dataloader=data, default_hooks=None))
        with pytest.raises(ValueError, match='no hook labels them'):
            check_unlabelled(cfg)
        cfg.custom_hooks = [dict(type='MeanTeacherHook')]
        check_unlabelled(cfg)


def test_modules_of_an_option_are_imported(tmp_path, monkeypatch):
    """MMEngine imports those of the file alone."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / 'my_own_hooks.py').write_text('')
    config, option = str(leaf('unet_street')), 'custom_imports.imports'
    load_config(config, {option: ['my_own_hooks']})
    assert 'my_own_hooks' in sys.modules
    with pytest.raises(ValueError, match=r'custom_imports is .*no_such_mod'):
        load_config(config, {option: ['no_such_module']})


def test_a_process_that_nobody_launched(monkeypatch):
    monkeypatch.delenv('RANK', raising=False)
    with pytest.raises(ValueError, match='nothing launched this process'):
        set_up_processes(Config(dict(model=dict(type='A'))), 'pytorch')


@pytest.mark.parametrize(
    ('name', 'text', 'says'),
    [
        ('c.yml', 'a: [1', "c.yml' cannot be read: ParserError: "),
        ('c.yml', '- 1', 'holds something else than a dict'),
        ('c.json', '[1]', 'holds something else than a dict'),
        ('c.py', 'a = int.b', 'AttributeError: type object'),
    ],
)
def test_what_is_no_config(name, text, says, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match='cannot be read') as error:
        load_config(str(tmp_path / name))
    assert says in str(error.value)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('environment', [None, {}, dict(dist_cfg=None)])
def test_a_config_that_says_nothing_of_processes(environment):
    cfg = Config(dict(model=dict(type='A'), env_cfg=environment))
    set_up_processes(cfg, 'none')
    assert cfg.env_cfg.dist_cfg == dict(backend='nccl', timeout=600)


def test_no_workers_need_not_persist():
    def persist(workers):
        options = {'train_dataloader.num_workers': workers}
        return load_config('unet_street', options).train_dataloader

    assert persist(2).persistent_workers
    assert not persist(0).persistent_workers
