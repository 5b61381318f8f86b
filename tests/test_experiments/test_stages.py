import pytest

from mmseg_video.experiments.stages import run

TALK = 'print("Iter(train) [2/4] loss: 0.5"); print("this is why")'


def test_a_stage_that_fails_shows_why_and_is_done_again(tmp_path, capfd):
    marker = tmp_path / 'stage.done'
    fail = ['-c', f'{TALK}; raise SystemExit("error: in one sentence")']
    with pytest.raises(RuntimeError, match=r"'a stage' failed, .*stage\.log"):
        run('a stage', fail, marker)
    assert not marker.exists()
    assert 'this is why' in (tmp_path / 'stage.log').read_text()
    shown = capfd.readouterr().err
    assert 'error: in one sentence' in shown
    assert 'this is why' not in shown
    run('a stage', ['-c', TALK], marker)
    assert marker.exists()


def test_a_stage_is_done_once(tmp_path):
    marker, count = tmp_path / 'stage.done', tmp_path / 'count'
    once = ['-c', f'open({str(count)!r}, "a").write("x")']
    for _ in range(3):
        run('a stage', once, marker)
    assert count.read_text() == 'x'
    # What another command left is not believed.
    run('a stage', [*once, 'argument'], marker)
    assert count.read_text() == 'xx'
    marker.write_text('cut sho')
    run('a stage', once, marker)
    assert count.read_text() == 'xxx'
