"""tools/pseudo_label.py, and a training on what it writes."""

import json
import shutil
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.runner import Runner
from mmseg.structures import SegDataSample

from mmseg_video.apis import VideoSegInferencer, steady
from mmseg_video.apis.pseudo_label_teachers import FramesAlone, FramesInVideo
from mmseg_video.apis.pseudo_label_writer import build_dataset
from mmseg_video.apis.pseudo_labels import (
    class_thresholds,
    ensemble,
    keep_confident,
)
from tests.commands import TOOLS, call_here, load_tool
from tests.models import (
    BINARY,
    FRAMEWISE,
    RECURRENT,
    build,
    split_by_threshold,
)
from tests.runs import config

TOOL = load_tool('pseudo_label')


def label(framewise, root, *arguments):
    TOOL.main(
        [
            str(framewise / 'unet_street.py'),
            str(framewise / 'iter_2.pth'),
            *('--data-root', str(root), '--workers', '0'),
            *(() if '--offline' in arguments else ('--scales', '1')),
            *('--threshold', '0', *map(str, arguments)),
        ]
    )


@pytest.fixture(scope='module')
def taught(framewise, root, tmp_path_factory):
    """Street scenes whose other frames are labelled."""
    scenes = tmp_path_factory.mktemp('taught') / 'scenes'
    shutil.copytree(root, scenes)
    label(framewise, scenes, '--confidence', scenes / 'confidence')
    return scenes


def files(folder):
    return {p.relative_to(folder) for p in folder.rglob('*.png')}


def test_every_frame_but_the_key_frame_is_labelled(taught):
    folder = taught / 'pseudo_labels/train'
    frames = files(taught / 'leftImg8bit_sequence/train')
    keys = files(taught / 'leftImg8bit/train')
    assert len(frames) == 24
    assert len(keys) == 2
    names = {
        str(f).replace('leftImg8bit', 'gtFine_labelTrainIds')
        for f in frames - keys
    }
    assert set(map(str, files(folder))) == names
    assert set(map(str, files(taught / 'confidence'))) == names
    for path in folder.rglob('*.png'):
        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert image.shape == (64, 128)
        assert image.max() < 19  # a threshold of 0 keeps all
    report = json.loads((folder / 'pseudo_labels.json').read_text())
    assert len(report['classes']) == 19


def test_they_are_what_the_model_predicts(taught, framewise):
    path = next((taught / 'leftImg8bit_sequence/train').rglob('*_000010_*'))
    model = VideoSegInferencer(
        str(framewise / 'unet_street.py'), str(framewise / 'iter_2.pth')
    ).model
    # The config reads frames of any size at 128x256.
    frame = cv2.resize(cv2.imread(str(path)), (256, 128))
    frames = torch.from_numpy(frame.transpose(2, 0, 1).copy())
    frames = model.data_preprocessor(dict(inputs=[frames]))['inputs']
    want = ensemble(model, frames, (64, 128))[0].argmax(0).numpy()
    name = path.relative_to(taught / 'leftImg8bit_sequence/train')
    got = (
        taught
        / 'pseudo_labels/train'
        / str(name).replace('leftImg8bit', 'gtFine_labelTrainIds')
    )
    got = cv2.imread(str(got), cv2.IMREAD_UNCHANGED)
    assert (got == want).mean() > 0.99


@pytest.mark.parametrize(
    'name', ['unet_finetune_augmented', 'unet_finetune_consistency']
)
def test_the_teacher_sees_clean_frames(root, tmp_path, name):
    cfg = config(name, root, tmp_path)
    assert cfg.train_dataloader.dataset.augments
    dataset = build_dataset(cfg, 'train')
    frame = cv2.imread(dataset.get_data_info(0)['img_path'])
    # The config reads frames of any size at 128x256.
    want = cv2.resize(frame, (256, 128)).transpose(2, 0, 1)
    np.random.seed(0)
    for _ in range(20):
        got = dataset[0]['inputs'].numpy().reshape(want.shape)
        assert np.array_equal(got, want)


def test_a_second_run_makes_only_what_is_missing(taught, framewise, capsys):
    folder = taught / 'pseudo_labels/train'
    before = {p: p.stat().st_mtime_ns for p in folder.rglob('*.png')}
    gone = min(before)
    gone.unlink()
    code = call_here(
        TOOLS / 'pseudo_label.py',
        *(framewise / 'unet_street.py', framewise / 'iter_2.pth'),
        *('--data-root', taught, '--workers', 0, '--scales', 1),
        *('--threshold', 0),
    )
    assert code == 0
    assert '1 frames labelled, 21 were there' in capsys.readouterr().out
    after = {p: p.stat().st_mtime_ns for p in folder.rglob('*.png')}
    assert set(after) == set(before)
    assert {p for p in after if after[p] != before[p]} == {gone}


def test_confidence_can_be_asked_for_later(framewise, root, tmp_path, capsys):
    out, confidence = tmp_path / 'labels', tmp_path / 'confidence'
    arguments = (framewise, root, '--out', out, '--every', 3, '--no-flip')
    label(*arguments)
    assert '8 frames labelled, 0 were there' in capsys.readouterr().out
    label(*arguments, '--confidence', confidence)
    assert '8 frames labelled, 0 were there' in capsys.readouterr().out
    assert files(confidence) == files(out)
    min(confidence.rglob('*.png')).unlink()
    label(*arguments, '--confidence', confidence)
    assert '1 frames labelled, 7 were there' in capsys.readouterr().out
    assert files(confidence) == files(out)
    label(*arguments)
    assert '0 frames labelled, 8 were there' in capsys.readouterr().out


def test_other_settings_do_not_mix(taught, framewise, capsys):
    with pytest.raises(SystemExit):
        label(framewise, taught, '--threshold', 0.5)
    assert 'other settings (thresholds)' in capsys.readouterr().err


def test_labels_belong_to_weights_and_not_to_a_file(
    framewise, root, tmp_path, capsys
):
    shutil.copy(framewise / 'unet_street.py', tmp_path)
    checkpoint = torch.load(framewise / 'iter_2.pth', weights_only=False)
    checkpoint['meta']['note'] = 'another file'
    arguments = ('--out', tmp_path / 'labels', '--every', 3, '--no-flip')
    label(framewise, root, *arguments)
    torch.save(checkpoint, tmp_path / 'iter_2.pth')
    capsys.readouterr()
    label(tmp_path, root, *arguments)
    assert '0 frames labelled, 8 were there' in capsys.readouterr().out
    checkpoint['state_dict']['decode_head.conv_seg.bias'] += 1
    torch.save(checkpoint, tmp_path / 'iter_2.pth')
    with pytest.raises(SystemExit):
        label(tmp_path, root, *arguments)
    assert 'other settings (weights)' in capsys.readouterr().err


def test_parts_share_the_work(framewise, root, tmp_path, capsys):
    for k in (1, 2):
        label(
            *(framewise, root, '--part', f'{k}/2', '--every', 3),
            *('--out', tmp_path, '--no-flip', '--threshold', 1),
        )
        # Frames 8, 11, 14 and 17 of both snippets.
        assert '4 frames labelled, 0 were' in capsys.readouterr().out
    assert len(files(tmp_path)) == 8
    assert all(
        (cv2.imread(str(p), cv2.IMREAD_UNCHANGED) == 255).all()
        for p in tmp_path.rglob('*.png')
    )


def test_offline_they_are_what_past_and_future_say(
    framewise, root, tmp_path, capsys
):
    for k in (1, 2):
        label(
            *(framewise, root, '--offline', '--every', 5, '--part', f'{k}/2'),
            *('--out', tmp_path / 'labels'),
            *('--confidence', tmp_path / 'confidence'),
        )
        # Of one of both snippets.
        assert '3 frames labelled, 0 were' in capsys.readouterr().out
    assert len(files(tmp_path / 'labels')) == 6
    video = steady(
        (str(framewise / 'unet_street.py'), str(framewise / 'iter_2.pth')),
        probabilities=True,
    )
    frames = root / 'leftImg8bit_sequence/train'
    for snippet in sorted(frames.rglob('*_000008_*')):
        paths = sorted(snippet.parent.glob(f'{snippet.name[:16]}*'))
        # The config reads frames of any size at 128x256.
        clip = [cv2.resize(cv2.imread(str(p)), (256, 128)) for p in paths]
        predictions = list(video.predict(clip, lag='offline'))
        for path, prediction in zip(paths, predictions, strict=True):
            name = str(path.relative_to(frames)).replace(
                'leftImg8bit', 'gtFine_labelTrainIds'
            )
            if not (tmp_path / 'labels' / name).exists():
                continue
            scores = torch.from_numpy(prediction.probabilities)[None]
            want = F.interpolate(scores, (64, 128), mode='bilinear')[0]
            ids, sure = (
                cv2.imread(str(tmp_path / kind / name), cv2.IMREAD_UNCHANGED)
                for kind in ('labels', 'confidence')
            )
            assert np.array_equal(ids, want.argmax(0).numpy())
            assert np.array_equal(sure, (want.amax(0) * 255).round().numpy())


def test_each_sequence_is_a_video(root, tmp_path):
    dataset = build_dataset(config('unet', root, tmp_path), 'train')
    lengths = []

    def predict(video, lag):
        lengths.append(0)
        for frame in video:
            lengths[-1] += 1
            yield SimpleNamespace(
                probabilities=np.ones((19, *frame.shape[:2]))
            )

    inferencer = SimpleNamespace(
        model=SimpleNamespace(filter=SimpleNamespace(averages=True)),
        predict=predict,
    )
    teacher = FramesInVideo(inferencer)
    assert teacher.units(dataset, [1, 2, 13]) == [[1, 2], [13]]
    labelled = list(teacher.probabilities(dataset, [1, 13], workers=0))
    assert [index for index, _ in labelled] == [1, 13]
    assert lengths == [12, 12]
    list(teacher.probabilities(dataset, [13], workers=0))
    assert lengths == [12, 12, 12]  # what nothing is asked of is not read


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        (['--offline', '--no-flip'], '--scales and --no-flip are of frames'),
        (['--class-threshold', 'cow=0.5'], 'no class cow; the classes are'),
        (['--threshold', 2], 'must be a probability in [0, 1], got 2.0;'),
        (['--class-threshold', 'pole=2'], 'must be a probability in [0, 1]'),
        (['--part', '3/2'], 'not of the form K/N'),
        (['--class-threshold', 'pole'], 'not of the form CLASS=PROBABILITY'),
        (['--scales', '0'], '--scales must be > 0'),
        (['--scales', 'nan'], 'scales are [nan], expected numbers'),
        (['--threshold', 'nan'], 'must be a probability in [0, 1], got nan;'),
    ],
)
def test_bad_arguments(framewise, root, tmp_path, capsys, arguments, sentence):
    with pytest.raises(SystemExit):
        label(framewise, root, '--out', tmp_path, *arguments)
    assert sentence in capsys.readouterr().err
    assert not files(tmp_path)


def test_a_teacher_of_other_classes_is_refused(
    framewise, root, tmp_path, capsys
):
    checkpoint = torch.load(framewise / 'iter_2.pth', weights_only=False)
    classes = list(checkpoint['meta']['dataset_meta']['classes'])
    classes[0] = 'canal'
    checkpoint['meta']['dataset_meta']['classes'] = classes
    shutil.copy(framewise / 'unet_street.py', tmp_path)
    torch.save(checkpoint, tmp_path / 'iter_2.pth')
    with pytest.raises(SystemExit):
        label(tmp_path, root, '--out', tmp_path / 'labels')
    error = capsys.readouterr().err
    assert 'label the data with a teacher of its classes' in error
    assert 'canal' in error


@pytest.mark.parametrize('name', ['unet_finetune', 'rnn_unet'])
def test_a_training_weighs_them(name, taught, tmp_path):
    cfg = config(f'{name}_pseudo', taught, tmp_path)
    cfg.train_dataloader.dataset.prob = 1
    cfg.val_dataloader = cfg.val_evaluator = cfg.val_cfg = None
    cfg.visualizer.vis_backends = []
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.model.decode_head.loss_decode.weights == [0.5, 0.5]


@torch.no_grad()
@pytest.mark.parametrize('cfg', [FRAMEWISE, RECURRENT])
def test_the_ensemble_does_not_care_for_left_and_right(cfg):
    model = build(cfg)
    frames = torch.randn(2, 3, 64, 96)
    got = ensemble(model, frames, (32, 48), scales=(0.5, 1))
    assert got.shape == (2, 5, 32, 48)
    torch.testing.assert_close(got.sum(1), torch.ones(2, 32, 48))
    mirrored = ensemble(model, frames.flip(-1), (32, 48), scales=(0.5, 1))
    torch.testing.assert_close(mirrored.flip(-1), got)
    alone = ensemble(model, frames, (64, 96), flip=False)
    want = model.encode_decode(frames, [dict(img_shape=frames.shape[2:])])
    torch.testing.assert_close(alone, want.softmax(1))


CLASSES = ['dark', 'bright']


class Stills(torch.utils.data.Dataset):
    """One frame, bright in its lower and right half."""

    def __len__(self):
        return 1

    def __getitem__(self, index):
        image = torch.zeros(3, 40, 72, dtype=torch.uint8)
        image[:, 20:, 36:] = 255
        sample = SegDataSample(metainfo=dict(ori_shape=(40, 72)))
        return dict(inputs=image, data_samples=sample)


def alone(model, scales):
    """Labels (H, W) of the frame of Stills."""
    inferencer = VideoSegInferencer.from_model(
        *(model, CLASSES, [[0] * 3] * 2), device='cpu'
    )
    teacher = FramesAlone(inferencer, scales)
    ((_, probabilities),) = teacher.probabilities(Stills(), [0], 0)
    return probabilities.argmax(0)


@pytest.mark.parametrize(
    'padding', [dict(size_divisor=32), dict(size=(96, 80))]
)
@pytest.mark.parametrize('cfg', [FRAMEWISE, RECURRENT])
@pytest.mark.parametrize('scales', [(1.0,), (0.5, 1.0, 2.0)])
def test_what_the_preprocessor_pads_is_no_part_of_a_label(
    scales, cfg, padding
):
    preprocessor = dict(cfg['data_preprocessor'], test_cfg=padding)
    model = build(cfg, data_preprocessor=preprocessor)
    shapes = []

    def brightness(inputs, metas):
        shapes.append(inputs.shape)
        bright = inputs[:, 0] - 127.5
        return torch.stack([-bright, bright], 1)

    model.inference = brightness
    got = alone(model, scales)
    want = Stills()[0]['inputs'][0] > 0
    assert (got == want).all()
    assert len(shapes) == 2 * len(scales)
    divisor = padding.get('size_divisor', 1)
    assert all(s[2] % divisor == s[3] % divisor == 0 for s in shapes)


def test_a_steadied_net_labels_frames_alone():
    def net(images):
        bright = images[:, :1] / 255 - 0.5
        return torch.cat([-bright, bright], 1)

    model = steady(net, CLASSES, device='cpu').model
    assert (alone(model, (1.0,)) == (Stills()[0]['inputs'][0] > 0)).all()


@torch.no_grad()
@pytest.mark.parametrize('cfg', [FRAMEWISE, RECURRENT])
def test_the_ensemble_of_one_logit_for_two_classes(cfg):
    frames = torch.randn(2, 3, 64, 96)
    model = split_by_threshold(build(cfg, decode_head=BINARY), frames)
    got = ensemble(model, frames, (64, 96), flip=False)
    want = [s.pred_sem_seg.data[0] for s in model.predict(frames)]
    assert torch.equal(got.argmax(1).float(), torch.stack(want))
    torch.testing.assert_close(got.sum(1), torch.ones(2, 64, 96))


def test_what_is_not_sure_is_ignored():
    probabilities = torch.tensor([[[0.9, 0.6, 0.3]], [[0.1, 0.4, 0.7]]])
    thresholds = class_thresholds(['a', 'b'], 0.8, dict(b=0.7))
    got, confidence = keep_confident(probabilities, thresholds)
    assert got.tolist() == [[0, 255, 1]]
    np.testing.assert_allclose(confidence, [[230, 153, 178]], atol=1)
    assert got.dtype == confidence.dtype == np.uint8
    with pytest.raises(ValueError, match=r'in \[0, 1\], got nan$'):
        class_thresholds(['a', 'b', 'c'], float('nan'), dict(b=0.7))
