"""Checkpoints that attack, and the ways in that they are tried on."""

import builtins
import copy
import os
import pickle
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import torch
from mmengine.runner import Runner
from mmengine.runner.checkpoint import CheckpointLoader, load_checkpoint

from mmseg_video.apis import VideoSegInferencer
from mmseg_video.apis.testing import evaluate
from mmseg_video.apis.training import train
from mmseg_video.deployment.runner import StreamRunner
from mmseg_video.engine.checkpoints import find_last_checkpoint
from mmseg_video.engine.pretrained import fetch
from mmseg_video.evaluation.protocol import Protocol
from mmseg_video.flow.estimators import RAFTFlow
from tests.runs import config


class Call:
    """What pickle calls when it loads this."""

    def __init__(self, function: Callable, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def payloads(mark: Path) -> dict[str, Call]:
    """Calls that leave the file ``mark``."""
    code = f'open({str(mark)!r}, "w").close()'
    return {
        'os.system': Call(os.system, f'touch {mark}'),
        'exec': Call(exec, code),
        'eval': Call(eval, code),
        'subprocess': Call(subprocess.call, ['touch', str(mark)]),
        'open': Call(open, str(mark), 'w'),
        'getattr': Call(getattr, Call(builtins.__import__, 'os'), 'system'),
        'pickle': Call(pickle.loads, pickle.dumps(Call(exec, code))),
        'numpy': Call(np.load, str(mark), 'w+'),
    }


def carriers(good: dict) -> dict[str, Callable]:
    """Places of a payload in a checkpoint of a training."""

    def at(*keys):
        def put(payload):
            content = copy.deepcopy(good)
            inner = content
            for key in keys[:-1]:
                inner = inner[key]
            inner[keys[-1]] = payload
            return content

        return put

    return {
        'whole': lambda payload: payload,
        'state_dict': at('state_dict', 'x'),
        'meta': at('meta', 'x'),
        'message_hub': at('message_hub', 'runtime_info', 'x'),
        'optimizer': at('optimizer', 'x'),
    }


def entries(root: Path, trained: Path, folder: Path) -> dict[str, Callable]:
    """Ways in, each as a function of a checkpoint's path.

    Args:
        root (Path): Data.
        trained (Path): The work dir of a training, with its config.
        folder (Path): Where they may write.
    """
    leaf = str(next(trained.glob('*.py')))

    def run(path, **changes):
        cfg = config('unet', root, folder / 'run', **changes)
        Runner.from_cfg(cfg).train()

    def resumes(path):
        cfg = config('unet', root, folder / 'run', resume=True)
        cfg.load_from = path
        Runner.from_cfg(cfg).train()

    def finds(path):
        work_dir = folder / 'found'
        work_dir.mkdir(exist_ok=True)
        (work_dir / 'iter_9.pth').write_bytes(Path(path).read_bytes())
        find_last_checkpoint(work_dir)

    def pretrained(path):
        return dict(type='Pretrained', checkpoint=path)

    return {
        'mmengine.load_checkpoint': lambda path: load_checkpoint(
            torch.nn.Linear(1, 1), path
        ),
        'CheckpointLoader': CheckpointLoader.load_checkpoint,
        'load_from': lambda path: run(path, load_from=path),
        'tools/train.py --load-from': lambda path: train(
            leaf, str(folder / 'train'), load_from=path
        ),
        'resume': resumes,
        '--resume': finds,
        'init_cfg': lambda path: run(
            path, **{'model.backbone.init_cfg': pretrained(path)}
        ),
        'pretrained': fetch,
        'test': lambda path: evaluate(
            leaf, path, Protocol(), str(folder / 'test')
        ),
        'demo, app, export, pseudo_label': lambda path: VideoSegInferencer(
            leaf, path
        ),
        'RAFT': lambda path: RAFTFlow(size='small', weights=path),
    }


def config_in_meta(good: dict, mark: Path) -> dict:
    """A checkpoint with a config that runs where MMEngine resumes."""
    code = f'open({str(mark)!r}, "w").close()'
    return dict(copy.deepcopy(good), meta=dict(good['meta'], config=code))


def external_onnx(path: Path, secret: Path) -> None:
    """A model whose weights are another file of this machine."""
    tensor = onnx.helper.make_tensor(
        'w', onnx.TensorProto.FLOAT, [1], bytes(4), raw=True
    )
    tensor.ClearField('raw_data')
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(
        key='location', value=os.path.relpath(secret, path.parent)
    )
    node = onnx.helper.make_node('Identity', ['w'], ['logits'])
    value = onnx.helper.make_tensor_value_info(
        'logits', onnx.TensorProto.FLOAT, [1]
    )
    graph = onnx.helper.make_graph([node], 'g', [], [value], [tensor])
    path.write_bytes(onnx.helper.make_model(graph).SerializeToString())


def attack_all(
    root: Path, trained: Path, folder: Path
) -> list[dict[str, str | bool]]:
    """Every payload, carrier and way in at least once.

    Each has what was tried, whether code ran, and the sentence.
    """
    good = torch.load(next(trained.glob('iter_*.pth')), weights_only=True)
    ways, places = entries(root, trained, folder), carriers(good)
    mark, results = folder / 'ran', []
    kinds = list(payloads(mark))
    for i in range(len(ways) * 2):
        name = list(ways)[i % len(ways)]
        place = list(places)[i % len(places)]
        kind = kinds[i % len(kinds)]
        path = folder / 'iter_9.pth'
        content = places[place](payloads(mark)[kind])
        zipped = i < len(ways)
        torch.save(content, path, _use_new_zipfile_serialization=zipped)
        what = f'{name}: {kind} in {place}, {"zip" if zipped else "pickle"}'
        results.append(_try(what, ways[name], str(path), mark))
    torch.save(config_in_meta(good, mark), folder / 'iter_9.pth')
    for name in ('resume', 'load_from', 'test'):
        path = str(folder / 'iter_9.pth')
        what = f"{name}: a config in meta['config']"
        results.append(_try(what, ways[name], path, mark))
    (folder / 'secret').write_bytes(bytes(4))
    external_onnx(folder / 'x.onnx', folder / 'secret')
    what = 'ONNX: weights in another file'
    found = _try(what, StreamRunner, str(folder / 'x.onnx'), mark)
    # Here it is the opening itself that must not be.
    found['ran'] = found['said'] == 'nothing'
    results.append(found)
    return results


def _try(what: str, enter: Callable, path: str, mark: Path) -> dict:
    mark.unlink(missing_ok=True)
    try:
        enter(path)
        said = 'nothing'
    except Exception as error:
        said = f'{type(error).__name__}: {str(error)[:200]}'
    return dict(what=what, ran=mark.exists(), said=said)
