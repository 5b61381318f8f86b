"""What users give the commands by mistake, kind by kind.

``python -m tests.bad_input`` writes the table of docs/en/notes/bad_input.md.
"""

import itertools
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from mmseg_video.datasets.unlabelled_frames import PSEUDO_LABELS
from tests.commands import ROOT, tiny
from tests.onnx_files import external_graph, small_graph
from tests.runs import leaf

DOC = ROOT / 'docs/en/notes/bad_input.md'


@dataclass(frozen=True)
class Kind:
    """A mistake.

    Args:
        group, name (str): Which.
        command (Callable): Given :class:`Files`, makes it, and gives the
            arguments of mmseg-video.
        says (str): What the sentence has, a regular expression.
    """

    group: str
    name: str
    command: Callable
    says: str


@dataclass(frozen=True)
class Files:
    """What is right, to be made wrong: scenes, a training, a folder."""

    root: Path
    framewise: Path
    tmp: Path

    @property
    def checkpoint(self) -> Path:
        return self.framewise / 'iter_2.pth'

    @property
    def config(self) -> Path:
        """Of the training, where what is written does no harm."""
        path = self.tmp / 'unet_street.py'
        if not path.exists():
            shutil.copy(self.framewise / 'unet_street.py', path)
        return path

    def scenes(self) -> Path:
        return Path(shutil.copytree(self.root, self.tmp / 'scenes'))

    def frames(self, suffix='.png', number=3) -> list[Path]:
        folder = self.tmp / 'frames'
        folder.mkdir()
        rng = np.random.default_rng(0)
        paths = [folder / f'{i}{suffix}' for i in range(number)]
        for path in paths:
            image = rng.integers(0, 256, (64, 128, 3), np.uint8)
            assert cv2.imwrite(str(path), image)
        return paths

    def video(self) -> Path:
        path = self.tmp / 'video.avi'
        writer = cv2.VideoWriter(
            *(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10, (128, 64))
        )
        rng = np.random.default_rng(0)
        for _ in range(12):
            writer.write(rng.integers(0, 256, (64, 128, 3), np.uint8))
        writer.release()
        return path


# What is done to a file.
def html(path):
    path.write_text('<html><title>404 Not Found</title></html>')


def empty(path):
    path.write_bytes(b'')


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flipped(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(bytes(data))


def gone(path):
    path.unlink()


def pixels(change):
    def write(path):
        image = change(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
        assert cv2.imwrite(str(path), image)

    return write


BROKEN = {
    'HTML': (html, 'no readable image'),
    'empty': (empty, 'empty'),
    'broken off': (cut, 'breaks off'),
}
ODD = {
    '16-bit': (pixels(lambda i: i.astype(np.uint16) * 257), '16-bit colour'),
    'grey': (pixels(lambda i: i[..., 0]), '8-bit grey'),
    'RGBA': (pixels(lambda i: np.dstack([i, i[..., 0]])), '8-bit RGBA'),
}
LABELS = {
    '16-bit': (pixels(lambda i: i.astype(np.uint16)), '16-bit image'),
    'in colours': (pixels(lambda i: np.dstack([i] * 3)), 'shape'),
    'of another size': (pixels(lambda i: i[:32]), 'must have one size'),
    'with an id outside the classes, in one pixel': (
        pixels(
            lambda i: (
                np.where(np.arange(i.size) == 777, 77, i.ravel())
                .astype(np.uint8)
                .reshape(i.shape)
            )
        ),
        r'has the ids \[77\]',
    ),
    'with a flipped byte': (flipped, 'no readable image'),
    'deleted': (gone, 'have no label'),
    **BROKEN,
}


def train(files, *options, root=None, config='unet_street'):
    return [
        *('train', leaf(config), '--work-dir', files.tmp / 'run'),
        *(*tiny(root or files.root), *options),
    ]


def run(files, source, *options):
    return [
        *('run', source, files.config, files.checkpoint, '--device', 'cpu'),
        *('--steady', 'none', '--out', files.tmp / 'out.mp4', *options),
    ]


def test(files, checkpoint, *options):
    return [
        *('test', files.config, checkpoint, '--work-dir', files.tmp / 'run'),
        *options,
    ]


def of_scenes(pattern, change):
    def command(files):
        root = files.scenes()
        paths = sorted(root.glob(pattern))
        assert paths
        change(paths[0])
        return train(files, root=root)

    return command


def all_ignored(files):
    root = files.scenes()
    for path in root.glob('gtFine/train/*/*.png'):
        pixels(lambda i: np.full_like(i, 255))(path)
    return train(files, root=root)


def of_frames(suffix, change):
    def command(files):
        change(files.frames(suffix)[1])
        return run(files, files.tmp / 'frames')

    return command


def of_options(*options):
    return lambda files: train(files, *options)


def of_config(text, name='config.py', **others):
    def command(files):
        for stem, content in {name.split('.')[0]: text, **others}.items():
            suffix = name.split('.')[1] if stem == name.split('.')[0] else 'py'
            (files.tmp / f'{stem}.{suffix}').write_bytes(
                content.encode() if isinstance(content, str) else content
            )
        return ['train', files.tmp / name, '--work-dir', files.tmp / 'run']

    return command


def of_run(*options):
    return lambda files: run(files, files.video(), *options)


def of_video(change):
    def command(files):
        path = files.video()
        change(path)
        return run(files, path)

    return command


def of_checkpoint(change):
    def command(files):
        path = Path(shutil.copy(files.checkpoint, files.tmp / 'k.pth'))
        change(path)
        return test(files, path)

    return command


def holds(content):
    """A checkpoint of something else."""

    def change(path):
        loaded = torch.load(path, weights_only=False)
        torch.save(content(loaded), path)

    return change


def of_weights(*options):
    def command(files):
        path = files.tmp / 'weights.pth'
        torch.save(torch.load(files.checkpoint)['state_dict'], path)
        return train(files, f'load_from={path}', *options)

    return command


def of_graph(content):
    def command(files):
        path = files.tmp / 'net.onnx'
        if content is not None:
            path.write_bytes(content)
        return ['onnx', path]

    return command


def of_spec(text):
    def command(files):
        path = files.tmp / 'spec.yml'
        path.write_text(text)
        return ['ablate', path, '--out', files.tmp / 'run']

    return command


def of_polygons(points):
    def command(files):
        folder = files.tmp / 'gtFine/train/aachen'
        folder.mkdir(parents=True)
        thing = f'{{"label": "road", "polygon": [{points}]}}'
        (folder / 'aachen_000000_000019_gtFine_polygons.json').write_text(
            f'{{"imgHeight": 8, "imgWidth": 8, "objects": [{thing}]}}'
        )
        return ['convert-cityscapes', files.tmp, '--workers', 1]

    return command


def to_pack(files):
    root = files.scenes()
    path = sorted(root.glob('leftImg8bit/train/*/*'))[0]
    ODD['16-bit'][0](path)
    return [
        *('pack', files.config, '--out', files.tmp / 'packed'),
        *('--splits', 'train', '--data-root', root, '--workers', 1),
    ]


def to_spoilt_labels(files):
    out = files.tmp / 'labels'
    out.mkdir()
    (out / PSEUDO_LABELS).write_text('{"classes')
    return [
        *('pseudo-label', files.config, files.checkpoint, '--device', 'cpu'),
        *('--out', out, '--workers', 0),
    ]


def to_a_pipe(files):
    path = files.tmp / 'pipe.ndjson'
    os.mkfifo(path)
    return [
        *('run', files.video(), files.config, files.checkpoint),
        *('--device', 'cpu', '--steady', 'none', '--json', path),
    ]


# Nine to the eighth values.
BOMB = 'a: &a [x, x, x, x, x, x, x, x, x]\n' + ''.join(
    f'{new}: &{new} [{", ".join([f"*{old}"] * 9)}]\n'
    for old, new in itertools.pairwise('abcdefgh')
)
FRAME = 'leftImg8bit/train/*/*.png'
LABEL = 'gtFine/train/*/*.png'
NUMBERS = {
    'train_cfg.max_iters': ('0', '-5', 'many', '1.5'),
    'train_cfg.val_interval': ('0',),
    'train_dataloader.batch_size': ('0', 'two', '1000000000000'),
    'env_cfg.dist_cfg.timeout': ('soon',),
    'train_dataloader.num_workers': ('-1',),
    'optim_wrapper.optimizer.lr': ('abc', '-1', 'nan'),
    'default_hooks.checkpoint.interval': ('0',),
    'default_hooks.logger.interval': ('0',),
    'randomness.seed': ('abc', '-1'),
}
TYPES = {
    'model.backbone.type': ('ResNt', 'ResNet'),
    'model.decode_head.type': ('UNetHed', 'UNetHead'),
    'optim_wrapper.optimizer.type': ('SDG', 'SGD'),
    'train_dataloader.dataset.type': (
        'CityscapesSequenceDatset',
        'CityscapesSequenceDataset',
    ),
    'default_hooks.logger.type': ('LoggerHok', 'LoggerHook'),
    'val_evaluator.type': ('IoUMetrc', 'IoUMetric'),
}
KEYS = {
    'model.decode_head.chanels': 'channels',
    'model.backbone.dept': 'depth',
    'default_hooks.logger.intervall': 'interval',
    'train_dataloader.dataset.num_frame': 'num_frames',
}

# Key -> what is none of its things, which of a list, and what is expected.
OTHER_THINGS = {
    'model': ('unet', '', 'a dict'),
    'log_level': ('LOUD', '', 'DEBUG|.DEBUG.'),
    'resume': ('perhaps', '', 'True or False'),
    'load_from': ('[1]', '', 'a path'),
    'work_dir': ('5', '', 'a path'),
    'optim_wrapper': ('SGD', '', 'a dict'),
    'train_dataloader': ('[1]', '', 'a dict'),
    'default_hooks.logger': ('1', '', 'dict'),
    'custom_hooks': ('[EMAHook]', r'\.0', 'dict'),
    'param_scheduler': ('[0.1,0.01]', r'\.0', 'dict'),
    'val_evaluator': ('IoUMetric', '', 'dict'),
    'val_evaluator.iou_metrics': ('[mIoU,1]', r'\.1', 'a name'),
    'visualizer.vis_backends': ('[Tensorboard]', r'\.0', 'dict'),
    'train_dataloader.dataset.pipeline': ('[LoadClip]', r'\.0', 'dict'),
    'train_dataloader.dataset.num_frames': ('two', '', 'a number'),
    'model.decode_head.in_channels': ('[8,x,32,64]', r'\.1', 'a number'),
    'model.data_preprocessor.mean': ('[1,2,x]', r'\.2', 'a number'),
    'model.decode_head.dropout_ratio': ('nan', '', 'a number'),
}
# Parts of a training, and their like, that are no such thing.
LACKING = {
    'optim_wrapper=None': 'optim_wrapper is None, and nothing can be done',
    'train_cfg=None': 'train_cfg is None, and nothing can be done',
    'train_dataloader.sampler=None': r'sampler is None, expected dict\(type',
    'val_dataloader.dataset=None': r'val_dataloader\.dataset is None, expect',
    'model.data_preprocessor=5': 'model.data_preprocessor is 5, expected a d',
    'env_cfg.dist_cfg=nccl': 'env_cfg.dist_cfg is .nccl., expected a dict',
    'train_cfg.type=EpochBasedTrainLoop': "BasedTrainLoop. takes no 'max_it",
    'train_dataloader.dataset.pipeline.99.type=A': "pipeline is .* no '99'",
    'train_dataloader.dataset.pipeline.first.type=A': "there is no 'first'",
}
# What a part raises while it is built.
RAISED = {
    'model.backbone.depth=17': r'model\.backbone \(ResNet\): invalid depth',
    'train_dataloader.dataset.num_frames=0': (
        r'train_dataloader\.dataset \(Cityscapes\w+\): num_frames must be'
    ),
    'optim_wrapper.optimizer.betas=[1,2]': (
        r'optim_wrapper\.optimizer \(AdamW\): Invalid beta'
    ),
    'custom_hooks.0.priority=soon': r'custom_hooks\.0 \(CheckpointReportHook',
    'param_scheduler.0.end=-5': r'param_scheduler\.0 \(LinearLR\): end sh',
    'default_hooks.runtime_info=None': 'runtime_info is None, expected',
    'val_cfg=None': 'val_cfg is None, and others of val_dataloader, val_cfg',
}
ENTRIES = f'\nentries: {{a: {{config: {leaf("unet_street")}}}}}\n'
OVERRIDES = {
    'a function for a class': (
        'custom_hooks: [{type: os.system, command: touch ran}]',
        "custom_hooks.0.type: .*'os.system' is none",
    ),
    'modules to import': ('custom_imports.imports: [evil]', 'imports nothing'),
    'a pickle': (
        'model.decode_head.loss_decode.class_weight: evil.pkl',
        "'evil.pkl' is a pickle",
    ),
    'a name that YAML reads as true': (
        'default_hooks: {on: null}',
        'the key True of default_hooks is neither',
    ),
    'a mistyped key': ('defualt_hooks: {}', 'close to it are default_hooks'),
    'no model': ('model: null', 'model is None, expected a dict'),
    'no data': ('train_dataloader: null', 'has no train_dataloader'),
    'a rate that is text': (
        'optim_wrapper.optimizer.lr: fast',
        'lr is .fast., expected',
    ),
}
UNET = f"_base_ = '{leaf('unet_street')}'\n"
WRITTEN = {
    'a clip that grows at no iteration': (
        UNET + "default_hooks = dict(g=dict(type='GrowClipHook', "
        'milestones={}))\n',
        'milestones are empty',
    ),
    'milestones of a schedule that are text': (
        UNET + "param_scheduler = [dict(type='MultiStepLR', by_epoch=False, "
        "milestones=[10, '20'])]\n",
        "param_scheduler.0.milestones.1 is '20', expected a number",
    ),
    'a loop without a type': (
        UNET + 'train_cfg = dict(_delete_=True, max_iters=5)\n',
        "train_cfg is .*expected type='IterBasedTrainLoop'",
    ),
    'a hook without a type': (
        UNET + 'custom_hooks = [dict(interval=1)]\n',
        'custom_hooks.0 is .*expected dict',
    ),
    'a transform that is None': (
        UNET + 'train_dataloader = dict(dataset=dict(pipeline=[None]))\n',
        'pipeline.0 is None, expected dict',
    ),
}

KINDS = [
    # What happens to pictures.
    *(
        Kind('frames', f'{name} frame of a data set', of_scenes(FRAME, do), s)
        for name, (do, s) in (BROKEN | ODD).items()
    ),
    Kind(
        *('frames', 'frame of a data set with a flipped byte'),
        *(of_scenes(FRAME, flipped), 'no readable image'),
    ),
    *(
        Kind(
            'frames', f'{name} {suffix} of a folder', of_frames(suffix, do), s
        )
        for suffix in ('.png', '.jpg', '.tif')
        for name, (do, s) in BROKEN.items()
        # A broken TIFF is one that no decoder reads.
        if not (suffix == '.tif' and name == 'broken off')
    ),
    Kind(
        *('frames', 'floating-point .tif of a folder'),
        of_frames('.tif', pixels(lambda i: i[..., 0].astype(np.float32))),
        'pixels of float32',
    ),
    Kind(
        *('frames', 'of another size within a video'),
        of_frames('.png', pixels(lambda i: i[:32])),
        'all must have one size',
    ),
    *(
        Kind('labels', name, of_scenes(LABEL, do), says)
        for name, (do, says) in LABELS.items()
    ),
    Kind('labels', 'all ignored', all_ignored, 'nothing to learn from'),
    # Folders and lists.
    Kind(
        *('folders', 'no such data_root'),
        lambda files: train(files, root=files.tmp / 'none'),
        "no folder '.*none",
    ),
    Kind(
        *('folders', 'no frames in it'),
        lambda files: run(files, files.tmp),
        'has no images',
    ),
    Kind(
        *('folders', 'no such video'),
        lambda files: run(files, files.tmp / 'none.mp4'),
        'no video, image, folder or pattern',
    ),
    Kind(
        *('folders', 'a glob without a match'),
        lambda files: run(files, files.tmp / '*.jpg'),
        'has no images',
    ),
    # Configs and their options.
    *(
        Kind(
            *('configs and options', f'{key}={value}'),
            of_options(f'{key}={value}'),
            rf'{key} is .*expected',
        )
        for key, values in NUMBERS.items()
        for value in values
    ),
    *(
        Kind(
            *('configs and options', f'{key}={value}'),
            of_options(f'{key}={value}'),
            rf"{key}: there is no \w+ '{value}'; close to it are .*{near}",
        )
        for key, (value, near) in TYPES.items()
    ),
    *(
        Kind(
            *('configs and options', f'{key}=1'),
            of_options(f'{key}=1'),
            rf"takes no '{key.rpartition('.')[2]}'; close to it are .*{near}",
        )
        for key, near in KEYS.items()
    ),
    Kind(
        *('configs and options', 'a mistyped top-level key as an option'),
        of_options('defualt_hooks.logger.interval=1'),
        "no 'defualt_hooks'; close to it are default_hooks",
    ),
    Kind(
        *('configs and options', 'a mistyped top-level key in the file'),
        of_config(
            f"_base_ = '{leaf('unet_street')}'\ndefualt_hooks = dict()\n"
        ),
        "nothing reads 'defualt_hooks'; did you mean 'default_hooks'",
    ),
    Kind(
        *('configs and options', 'fewer classes than the labels have'),
        of_options('model.decode_head.num_classes=5'),
        r'decode_head\.num_classes is 5, .* have 19 classes',
    ),
    Kind(
        *('configs and options', 'a dict as an option'),
        of_options('default_hooks.grow={1:2}'),
        'give it key by key',
    ),
    *(
        Kind(
            *('configs and options', f'{key}={value}'),
            of_options(f'{key}={value}'),
            rf'{key}{where} is .*expected {expected}',
        )
        for key, (value, where, expected) in OTHER_THINGS.items()
    ),
    *(
        Kind('configs and options', name, of_config(text), says)
        for name, (text, says) in WRITTEN.items()
    ),
    *(
        Kind('configs and options', option, of_options(option), says)
        for option, says in (LACKING | RAISED).items()
    ),
    Kind(
        *('configs and options', 'model.neck.levels=[0,a]'),
        lambda files: train(
            *(files, 'model.neck.levels=[0,a]'), config='rnn_unet_street'
        ),
        r'model\.neck\.levels\.1 is .a., expected a number',
    ),
    Kind(
        *('configs and options', 'an empty pipeline'),
        of_options('train_dataloader.dataset.pipeline=[]'),
        'pipeline is .*expected transforms',
    ),
    Kind(
        *('configs and options', 'another default_scope'),
        of_options('default_scope=foo'),
        "default_scope is 'foo', expected 'mmseg'",
    ),
    Kind(
        *('configs and options', 'no Python'),
        *(of_config('a = (\n'), r"config\.py', line 1, is no Python"),
    ),
    Kind(
        *('configs and options', 'no Python in a _base_'),
        of_config("_base_ = './base.py'\n", base='x = = 3\n'),
        r"base\.py', line 1, is no Python",
    ),
    Kind(
        *('configs and options', 'a _base_ loop'),
        of_config("_base_ = './b.py'\n", b="_base_ = ['config.py']\n"),
        r"_base_ of '.*b\.py' leads back to '.*config\.py'",
    ),
    Kind(
        *('configs and options', 'a _base_ that is not there'),
        of_config("_base_ = './none.py'\n"),
        r"config\.py' names the _base_ '\./none\.py'",
    ),
    Kind(
        *('configs and options', 'a config that raises'),
        *(of_config('a = 1 / 0\n'), r"config\.py' cannot be read: ZeroDiv"),
    ),
    Kind(
        *('configs and options', 'an empty config'),
        *(of_config(''), 'has no model'),
    ),
    Kind(
        *('configs and options', 'a config of bytes'),
        *(of_config(bytes(range(256))), 'is no text'),
    ),
    Kind(
        *('configs and options', 'JSON that breaks off'),
        of_config('{', 'config.json'),
        r"config\.json' cannot be read",
    ),
    # Videos.
    Kind(
        *('videos', 'an AVI that breaks off'),
        *(of_video(cut), 'breaks off after [1-9]'),
    ),
    Kind('videos', 'HTML', of_video(html), 'cannot be opened'),
    Kind('videos', 'empty', of_video(empty), 'cannot be opened'),
    *(
        Kind(
            *('videos', f'--{name} {value}'),
            of_run(f'--{name}={value}'),
            f'{name} (is|lies)',
        )
        for name, values in dict(
            opacity=('7', '-1', 'nan'),
            fps=('0', '-3', 'nan', '1e9'),
            start=('inf', 'nan'),
            end=('inf',),
        ).items()
        for value in values
    ),
    Kind(
        *('videos', '--tolerance nan'),
        of_run('--every=adaptive', '--steady=flow', '--tolerance=nan'),
        'tolerance is a part',
    ),
    Kind(
        *('videos', 'lines of JSON to a pipe'),
        *(to_a_pipe, 'pipe.ndjson. is .*name a file to write'),
    ),
    Kind(
        *('videos', 'a suffix that nobody writes'),
        of_run('--out', 'out.xyz'),
        'name a .gif, .mp4, .webm',
    ),
    # Specs.
    Kind('specs', 'no YAML', of_spec('a: [1'), r'spec\.yml'),
    Kind('specs', 'a list', of_spec('- 1\n'), r'spec\.yml'),
    Kind(
        *('specs', 'an unknown key'),
        *(of_spec('basline: a\nentries: {}\n'), 'basline'),
    ),
    Kind(
        *('specs', 'aliases that grow'),
        *(of_spec(BOMB), r'spec\.yml: with its aliases'),
    ),
    Kind(
        *('specs', 'a _base_ that leads back'),
        *(of_spec('_base_: spec.yml\n'), "leads back to '.*spec.yml"),
    ),
    Kind('specs', 'bytes', of_spec('a: \x00'), r'spec\.yml'),
    *(
        Kind(
            *('specs', f'overrides with {name}'),
            of_spec(f'overrides: {{{text}}}{ENTRIES}'),
            says,
        )
        for name, (text, says) in OVERRIDES.items()
    ),
    Kind(
        *('specs', 'a config that is a number'),
        of_spec('entries: {a: {config: 5}}'),
        "entry 'a': config: a text, not 5",
    ),
    Kind(
        *('specs', 'a title that is a number'),
        of_spec(ENTRIES.replace('}}', ', title: 5}}')),
        "entry 'a': title: a text, not 5",
    ),
    # Other commands.
    Kind(
        *('other commands', 'a packed set that is not there'),
        lambda files: ['pack', '--check', '--out', files.tmp / 'none'],
        'none. is no packed set',
    ),
    Kind(
        *('other commands', 'a 16-bit frame to pack'),
        *(to_pack, '16-bit colour'),
    ),
    Kind(
        *('other commands', 'a split to pack that the config has not'),
        lambda files: [
            *('pack', files.config, '--out', files.tmp / 'none'),
            *('--splits', 'test', '--cfg-options', 'test_dataloader=None'),
        ],
        'has no test_dataloader: leave test out',
    ),
    Kind(
        *('other commands', 'configs copied below a file'),
        lambda files: ['configs', '--copy', files.config / 'x'],
        'cannot write .*unet_street.py/x',
    ),
    Kind(
        *('other commands', 'an empty argument'),
        lambda files: train(files, config='unet_street') + ['--data-root', ''],
        'an argument is empty after --data-root',
    ),
    Kind(
        *('other commands', 'settings of pseudo labels that are no JSON'),
        *(
            to_spoilt_labels,
            r'pseudo_labels\.json. is no JSON .*another --out',
        ),
    ),
    Kind(
        *('other commands', 'a work dir that is a file'),
        lambda files: test(files, files.checkpoint, '--work-dir', __file__),
        'bad_input.py. is a file',
    ),
    Kind(
        *('other commands', 'a wait of --wait-time nan'),
        lambda files: test(files, files.checkpoint, '--wait-time', 'nan'),
        '--wait-time is nan',
    ),
    Kind(
        *('other commands', 'a clip of more frames than there are numbers'),
        lambda files: test(
            files, files.checkpoint, '--num-frames', '1' + 30 * '0'
        ),
        'must be <= ',
    ),
    Kind(
        *('other commands', 'polygons of Cityscapes with NaN'),
        *(of_polygons('[NaN, 1], [2, 3], [4, 5]'), 'a point that is no num'),
    ),
    Kind(
        *('other commands', 'polygons of Cityscapes that are text'),
        *(of_polygons('["a", 1], [2, 3]'), 'cannot convert .*polygons.json'),
    ),
    # Checkpoints.
    Kind('checkpoints', 'cut short', of_checkpoint(cut), 'is cut short'),
    Kind('checkpoints', 'empty', of_checkpoint(empty), 'is cut short'),
    Kind('checkpoints', 'HTML', of_checkpoint(html), 'begins as none does'),
    Kind('checkpoints', 'deleted', of_checkpoint(gone), 'no checkpoint'),
    Kind(
        *('checkpoints', 'with a flipped bit'),
        *(of_checkpoint(flipped), 'is damaged .the checksum'),
    ),
    Kind(
        *('checkpoints', 'a list'),
        *(of_checkpoint(holds(lambda k: [1])), 'holds a list'),
    ),
    Kind(
        *('checkpoints', 'a tensor'),
        of_checkpoint(holds(lambda k: torch.zeros(1))),
        'holds a Tensor',
    ),
    Kind(
        *('checkpoints', 'a state_dict that is a list'),
        of_checkpoint(holds(lambda k: dict(state_dict=[1]))),
        'state_dict of .* is a list',
    ),
    Kind(
        *('checkpoints', 'without weights'),
        *(of_checkpoint(holds(lambda k: {})), 'Nothing matches'),
    ),
    Kind(
        *('checkpoints', 'weights alone, to be resumed'),
        *(of_weights('resume=True'), 'cannot be resumed: it holds weights'),
    ),
    # ONNX.
    Kind(
        *('ONNX', 'that reads other files'),
        *(of_graph(external_graph('secret')), 'reads other files'),
    ),
    Kind('ONNX', 'empty', of_graph(b''), 'is empty'),
    Kind(
        *('ONNX', 'whose metadata are damaged'),
        of_graph(small_graph(classes='a,b', palette='0,1')),
        'is damaged .*export it again',
    ),
    Kind('ONNX', 'HTML', of_graph(b'<html>'), 'cannot be opened'),
    Kind('ONNX', 'not there', of_graph(None), 'no model'),
]


def _plain(name: str) -> str:
    plain = name.replace('=', ' is ').replace('--', '')
    return plain.replace('_', r'\_')


def table() -> str:
    """The kinds as Markdown, with the words that their sentences have."""
    lines = ['| group | kind | what happens |', '|---|---|---|']
    # Plain words: what stands in code marks in the docs must exist.
    lines += [
        f'| {kind.group} | {_plain(kind.name)} | refused, one sentence |'
        for kind in KINDS
    ]
    return '\n'.join(lines) + '\n'


if __name__ == '__main__':
    text = DOC.read_text()
    head = text[: text.index('| group |')]
    DOC.write_text(head + table())
