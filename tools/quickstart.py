"""The main job in one command: is the recurrent model better, and by how much?

Trains the framewise baseline, then trains it on and, from the same weights,
the recurrent model, for the same number of iterations; tests both with T=5
and T=12; writes a table, curves and a GIF. Without --dataset it makes street
scenes to do so on. Run again, it goes on where it stopped.
"""

import argparse
import json
import time
from pathlib import Path

from mmengine.config import Config

from mmseg_video.engine.launch import cli
from mmseg_video.experiments.quickstart_report import (
    write_curves,
    write_gif,
    write_table,
)
from mmseg_video.experiments.stages import run

ROOT = Path(__file__).resolve().parents[1]
TEST_FRAMES = (5, 12)
SCENE_SIZE = (128, 256)
SCENE_FRAMES = (8, 19)  # of a snippet: what T=12 reads


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--dataset',
        choices=['street', 'cityscapes', 'camvid'],
        default='street',
    )
    parser.add_argument('--data-root', help='your Cityscapes or CamVid')
    parser.add_argument(
        '--snippets',
        type=int,
        nargs=2,
        default=(240, 80),
        metavar=('TRAIN', 'VAL'),
        help='street scenes to make',
    )
    parser.add_argument('--out', default=str(ROOT / 'work_dirs/quickstart'))
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        default=[],
        metavar='KEY=VALUE',
        help='handed to every training, such as train_dataloader.batch_size=4',
    )
    args = parser.parse_args()
    if (args.dataset == 'street') != (args.data_root is None):
        parser.error('--dataset cityscapes|camvid and --data-root go together')
    return args


class Job:
    """The stages of one quick start, each done once."""

    def __init__(self, args):
        self.args = args
        self.out = Path(args.out).resolve()
        self.data_root = args.data_root
        if args.dataset == 'street':
            self.data_root = str(self.out / 'street_scenes')
        elif not Path(self.data_root).is_dir():
            raise FileNotFoundError(f"no data folder '{self.data_root}'")
        self.out.mkdir(parents=True, exist_ok=True)
        self._keep_settings()

    def _keep_settings(self):
        """A folder holds one job: other arguments need another folder."""
        settings = dict(
            dataset=self.args.dataset,
            data_root=self.data_root,
            seed=self.args.seed,
            cfg_options=self.args.cfg_options,
        )
        if self.args.dataset == 'street':
            settings['snippets'] = list(self.args.snippets)
        path = self.out / 'settings.json'
        begun = any(self.out.glob('*.done')) or (self.out / 'unet').exists()
        if (
            begun
            and path.exists()
            and json.loads(path.read_text()) != settings
        ):
            raise ValueError(
                f"'{self.out}' holds a quick start with other arguments "
                f'({path.name}): name another folder with --out, or remove it'
            )
        path.write_text(json.dumps(settings, indent=1))

    def config(self, name):
        return ROOT / 'configs' / f'{name}_{self.args.dataset}.py'

    def used_config(self, name):
        """As it was trained, --cfg-options included."""
        return self.out / name / self.config(name).name

    def make_scenes(self):
        train, val = self.args.snippets
        run(
            'street scenes',
            [
                ROOT / 'tools/dataset_converters/street_scenes.py',
                self.data_root,
                *('--train', train, '--val', val, '--size', *SCENE_SIZE),
                *('--frames', *SCENE_FRAMES),
                *('--seed', self.args.seed, '--all-labels'),
            ],
            self.out / 'street_scenes.done',
            show=True,
        )

    def options(self):
        options = ['--data-root', self.data_root]
        if self.args.cfg_options:
            options += ['--cfg-options', *self.args.cfg_options]
        return options

    def train(self, name, title, start=None):
        folder = self.out / name
        run(
            title,
            [
                ROOT / 'tools/train.py',
                self.config(name),
                *('--work-dir', folder, '--seed', self.args.seed, '--resume'),
                *(('--load-from', start) if start else ()),
                *self.options(),
            ],
            self.out / f'{name}.done',
        )
        return self.checkpoint(name)

    def checkpoint(self, name):
        path = (self.out / name / 'last_checkpoint').read_text().strip()
        return self.out / name / Path(path).name

    def test(self, name, num_frames):
        run(
            f'test {name}, T={num_frames}',
            [
                ROOT / 'tools/test.py',
                *(self.config(name), self.checkpoint(name)),
                *('--work-dir', self.out / name, '--num-frames', num_frames),
                *self.options(),
            ],
            self.out / f'{name}_t{num_frames}.done',
        )
        path = self.out / name / f'test_t{num_frames}.json'
        return json.loads(path.read_text())

    def iterations(self, name):
        return Config.fromfile(self.used_config(name)).train_cfg.max_iters


@cli
def main():
    job = Job(parse_args())
    finished = job.out / 'quickstart.done'
    if finished.exists():
        print((job.out / 'table.md').read_text())
        print(
            f"done before, in {finished.read_text().strip()}: '{job.out}' "
            'holds the results. Remove it, or name another --out, to run anew'
        )
        return
    start = time.time()
    if job.args.dataset == 'street':
        job.make_scenes()
    first = job.train('unet', 'framewise')
    job.train('unet_finetune', 'framewise, trained on', first)
    job.train('rnn_unet', 'recurrent, from framewise', first)
    # The framewise net reads the key frame alone: T does not change it.
    alone = job.test('unet_finetune', 1)
    tests = dict(
        framewise=dict.fromkeys(TEST_FRAMES, alone),
        recurrent={t: job.test('rnn_unet', t) for t in TEST_FRAMES},
    )
    table = report(job, tests)
    minutes = (time.time() - start) / 60
    finished.write_text(f'{minutes:.1f} minutes\n')
    print(f'\n{table}\n')
    names = ('table.md', 'table.json', 'curves.png', 'side_by_side.gif')
    print('\n'.join(str(job.out / name) for name in names))
    print(f'{minutes:.1f} minutes')


def report(job, tests):
    """Write the table, the curves and the GIF; returns the table."""
    first = job.iterations('unet')
    trained = dict(framewise='unet_finetune', recurrent='rnn_unet')
    iterations = {
        model: first + job.iterations(name) for model, name in trained.items()
    }
    table = write_table(job.out, tests, iterations, vars(job.args))
    write_curves(
        job.out / 'curves.png',
        {
            model: [job.out / 'unet', job.out / name]
            for model, name in trained.items()
        },
        first,
    )
    print('drawing the GIF ...')
    write_gif(
        job.out / 'side_by_side.gif',
        models={
            model: (job.used_config(name), job.checkpoint(name))
            for model, name in trained.items()
        },
        data_root=job.data_root,
    )
    return table


if __name__ == '__main__':
    main()
