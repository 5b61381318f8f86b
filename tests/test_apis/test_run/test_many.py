"""Many videos: each once, whatever happens."""

import json
import shutil

import pytest

from mmseg_video.apis.run import Targets, Way, find_videos, run_videos
from mmseg_video.apis.run.many import _check_folder, names_of
from mmseg_video.engine.processes import Processes, join_processes
from mmseg_video.io.frames import open_frames
from mmseg_video.io.locks import FolderLock
from tests.bright import brightness, levels, model, write_video
from tests.sequences import write_image


@pytest.fixture
def folder(tmp_path):
    for name, num in (('b', 3), ('a', 2), ('c', 4)):
        write_video(tmp_path / f'in/{name}.mp4', levels(*[60] * num))
    (tmp_path / 'in/._a.mp4').write_bytes(b'AppleDouble')
    (tmp_path / 'in/notes.md').touch()
    return tmp_path / 'in'


def test_folders_globs_and_lists(folder, tmp_path):
    found = [str(folder / f'{name}.mp4') for name in 'abc']
    assert find_videos(folder) == found
    assert find_videos(f'{folder}/*.mp4') == found
    listed = tmp_path / 'list.txt'
    listed.write_text('# mine\nin/b.mp4\n\nin/none.mp4\n')
    assert find_videos(listed) == [
        str(tmp_path / 'in/b.mp4'),
        str(tmp_path / 'in/none.mp4'),
    ]
    listed.write_text('# nothing\n')
    with pytest.raises(ValueError, match='names no video: a list is a text'):
        find_videos(listed)
    for content, sentence in (
        (b'a.mp4\nb/1.png\n', r"names the image 'b/1\.png': a list is"),
        (b'no.mp4\nno/such\n', r'nothing that .* is there, .*no\.mp4.: a li'),
        (b'\xff\xfe\x00a', 'is no text: a list is'),
    ):
        listed.write_bytes(content)
        with pytest.raises(ValueError, match=sentence):
            find_videos(listed)
    # One video: a file, a camera, a folder of images.
    write_image(tmp_path / 'frames/x/1.png', levels(0)[0])
    for source in (found[0], '0', 'rtsp://x', tmp_path / 'frames/x'):
        assert find_videos(source) is None
    assert find_videos(tmp_path / 'frames') == [str(tmp_path / 'frames/x')]


def test_videos_beside_images_and_below_folders(folder, tmp_path):
    deep = write_video(tmp_path / 'in/x/y/z.mp4', levels(60))
    assert find_videos(f'{tmp_path}/**/z.mp4') == [str(deep)]
    write_image(folder / 'poster.png', levels(0)[0])
    with pytest.raises(ValueError, match=r"'a\.mp4', and images.*pattern"):
        find_videos(folder)
    assert len(find_videos(f'{folder}/*.mp4')) == 3
    assert find_videos(f'{folder}/*.png') is None


def test_names_tell_videos_apart():
    assert names_of(['/a/x/1.mp4', '/a/y/1.mp4']) == ['x/1', 'y/1']
    assert names_of(['/a/x/1.mp4']) == ['1']
    with pytest.raises(ValueError, match='would both be written as'):
        names_of(['/a/1.mp4', '/a/1.avi'])


def run(videos, out, net=None, processes=None, **settings):
    made = []

    def make():
        made.append(1)
        return net or model()

    targets = Targets(out / 'drawn', out / 'labels', out / 'json')
    many = run_videos(videos, make, targets, settings, processes=processes)
    return many, len(made)


def test_each_is_done_once(folder, tmp_path):
    videos, out = find_videos(folder), tmp_path / 'out'
    many, made = run(videos, out)
    assert (many.done, many.were_done, many.failed, made) == (3, 0, {}, 1)
    for name, num in (('a', 2), ('b', 3), ('c', 4)):
        assert len(list(open_frames(out / f'drawn/{name}.mp4'))) == num
        assert len(list((out / f'labels/{name}').glob('*.png'))) == num
        lines = (out / f'json/{name}.ndjson').read_text().splitlines()
        assert len(lines) == num
    written = (out / 'drawn/a.mp4').stat().st_mtime_ns
    many, made = run(videos, out)
    assert (many.done, many.were_done, made) == (0, 3, 0)
    assert (out / 'drawn/a.mp4').stat().st_mtime_ns == written
    with pytest.raises(ValueError, match=r'other settings \(every\)'):
        run(videos, out, every=2)


def test_what_a_kill_left_is_done_again(folder, tmp_path):
    videos, out = find_videos(folder), tmp_path / 'out'
    run(videos, out)
    # Its outputs are in place, its mark is not.
    (out / 'drawn/.done/b.json').unlink()
    (out / 'drawn/.writing-x').mkdir()
    (out / 'json/.b.123.ndjson').touch()
    many, _ = run(videos, out)
    assert (many.done, many.were_done, many.failed) == (1, 2, {})
    assert len(list((out / 'labels/b').glob('*.png'))) == 3
    assert not (out / 'drawn/.writing-x').exists()
    assert not (out / 'json/.b.123.ndjson').exists()


def test_a_broken_one_does_not_stop_the_rest(folder, tmp_path, capsys):
    (folder / 'b.mp4').write_bytes(b'none')
    videos, out = [*find_videos(folder), str(folder / 'z.mp4')], tmp_path / 'o'
    many, _ = run(videos, out)
    assert (many.done, many.were_done) == (2, 0)
    assert list(many.failed) == [str(folder / 'b.mp4'), str(folder / 'z.mp4')]
    assert 'cannot be opened' in many.failed[str(folder / 'b.mp4')]
    assert 'no video, image' in many.failed[str(folder / 'z.mp4')]
    assert '2 videos done, 0 were done, 2 failed' in many.report
    assert not (out / 'drawn/b.mp4').exists()
    # It is tried again when it is run again.
    write_video(folder / 'b.mp4', levels(1, 2))
    many, _ = run(videos, out)
    assert (many.done, many.were_done, len(many.failed)) == (1, 2, 1)


def test_one_that_fails_in_the_middle_is_not_done(folder, tmp_path):
    def fails(frames):
        if frames.mean() > 200:
            raise RuntimeError('too bright')
        return brightness(frames)

    write_video(folder / 'b.mp4', levels(0, 255))
    out = tmp_path / 'out'
    many, _ = run(find_videos(folder), out, model(fails))
    assert 'The 1 frames before' in many.failed[str(folder / 'b.mp4')]
    assert len(list(open_frames(out / 'drawn/b.mp4'))) == 1
    many, _ = run(find_videos(folder), out)
    assert (many.done, many.were_done, many.failed) == (1, 2, {})
    assert len(list(open_frames(out / 'drawn/b.mp4'))) == 2


def test_folders_of_something_else_are_refused(folder, tmp_path):
    videos = find_videos(folder)
    (tmp_path / 'mine').mkdir()
    (tmp_path / 'mine/thesis.tex').touch()
    for targets, sentence in (
        (Targets(tmp_path / 'mine'), 'is not empty'),
        (Targets(folder), 'is not empty'),
        (Targets(tmp_path / 'out.mp4'), 'named like a file'),
        (Targets(tmp_path / 'o', show=True), 'leave out --show'),
        (Targets(), 'written to folders'),
    ):
        with pytest.raises(ValueError, match=sentence):
            run_videos(videos, model, targets, {})
    with pytest.raises(NotADirectoryError, match='is a file, where a folder'):
        run_videos(videos, model, Targets(tmp_path / 'mine/thesis.tex/o'), {})
    assert (tmp_path / 'mine/thesis.tex').exists()


class Part(Processes):
    """One of two processes that do not talk."""

    def from_first(self, make):
        return make()

    def gathered(self, value):
        return [value]


def test_processes_share_the_videos_by_their_length(folder, tmp_path):
    videos = find_videos(folder)
    done = []
    for rank in range(2):
        out = tmp_path / f'{rank}'
        run(videos, out, processes=Part(rank, 2))
        done.append(sorted(p.stem for p in out.glob('drawn/.done/*.json')))
    assert done == [['c'], ['a', 'b']]


def test_a_process_that_nobody_launched(monkeypatch):
    assert join_processes('none') == Processes()
    for name in ('RANK', 'WORLD_SIZE', 'SLURM_PROCID'):
        monkeypatch.delenv(name, raising=False)
    for launcher in ('pytorch', 'slurm'):
        with pytest.raises(ValueError, match='nothing launched this process'):
            join_processes(launcher)
    # srun's words are understood.
    for name, value in (
        ('SLURM_PROCID', 0),
        ('SLURM_NTASKS', 1),
        ('SLURM_LOCALID', 0),
        ('MASTER_ADDR', 'here'),
    ):
        monkeypatch.setenv(name, str(value))
    for name in ('LOCAL_RANK', 'MASTER_PORT', 'LOCAL_WORLD_SIZE'):
        monkeypatch.setenv(name, '1')
    threads = []
    monkeypatch.setattr('torch.set_num_threads', threads.append)
    assert join_processes('slurm') == Processes(0, 1, 0)


def test_two_runs_in_one_folder(folder, tmp_path):
    videos, out = find_videos(folder), tmp_path / 'out'
    run(videos, out)
    (out / 'drawn/.done/b.json').unlink()
    lock = FolderLock(out / 'drawn', name='.done/.lock')
    lock.take()
    with pytest.raises(RuntimeError, match='in use by another run'):
        run(videos, out)
    lock.release()
    assert run(videos, out)[0].done == 1


def test_settings_are_told_in_the_folder(folder, tmp_path):
    run(find_videos(folder)[:1], tmp_path / 'out', every=3)
    for kind in ('drawn', 'labels', 'json'):
        text = (tmp_path / f'out/{kind}/run.json').read_text()
        assert json.loads(text)['every'] == 3
    shutil.rmtree(tmp_path / 'out')


def test_a_video_inside_of_the_folder_of_another_is_refused(folder, tmp_path):
    write_video(folder / 'a/x.mp4', levels(60))
    videos = [str(folder / 'a.mp4'), str(folder / 'a/x.mp4')]
    with pytest.raises(ValueError, match="'a/x' would lie in the folder of"):
        run(videos, tmp_path / 'out')
    lines = Targets(json=tmp_path / 'lines')
    assert run_videos(videos, model, lines, {}).done == 2


def test_a_model_that_fails_leaves_the_folder_free(folder, tmp_path):
    def fails():
        raise RuntimeError('no model')

    out = tmp_path / 'out'
    videos = find_videos(folder)
    with pytest.raises(RuntimeError, match='no model') as kept:
        run_videos(videos, fails, Targets(out=out), {})
    # Whoever keeps the error, as a notebook does, keeps its frames.
    with pytest.raises(RuntimeError, match='no model'):
        run_videos(videos, fails, Targets(out=out), {})
    assert kept


def test_a_way_that_the_model_cannot_go_is_told_once(folder, tmp_path):
    videos, out = find_videos(folder), tmp_path / 'out'
    targets = Targets(out, json=out / 'json')
    settings = dict(steady='none')
    with pytest.raises(ValueError, match='no filter that could look at the'):
        run_videos(videos, model, targets, settings, way=Way('offline'))
    assert not [p for p in out.rglob('*') if p.suffix in ('.mp4', '.ndjson')]
    # No video is of these settings: others may take the folder.
    many = run_videos(videos, model, targets, dict(steady='gated'))
    assert (many.done, many.failed) == (3, {})


def test_a_folder_may_have_a_dot_in_its_name(folder, tmp_path):
    out = tmp_path / 'results.v1'
    _check_folder(out)
    with pytest.raises(ValueError, match='is named like a file'):
        _check_folder(tmp_path / 'a.mp4')
