"""Where the recurrent modules of configs sit."""

from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from tqdm import tqdm

from ..engine.explain import explained
from ..engine.launch import load_config, revert_sync_bn
from ..engine.pretrained import fetch_nothing
from ..visualization.data_flow import Box, trace
from ..visualization.data_flow_figure import draw_data_flows


def draw_positions(configs: Sequence[str], out: str, columns: int = 2) -> None:
    """Draw the models of configs, see :func:`draw_data_flows`.

    Each is built and runs on one random frame.

    Args:
        configs (Sequence[str]): Their paths.
        out (str): The .png to write.
        columns (int): Of panels. Defaults to 2.

    Raises:
        FileNotFoundError: If a config is not there.
        ValueError: If ``out`` is no .png.
    """
    if not out.endswith('.png'):
        raise ValueError(f"--out writes a .png, got '{out}'")
    graphs = {Path(p).stem: _boxes(p) for p in tqdm(configs, unit='config')}
    draw_data_flows(graphs, out, columns)


def _boxes(path: str) -> list[Box]:
    cfg = load_config(path)
    init_default_scope(cfg.get('default_scope', 'mmseg'))
    revert_sync_bn(cfg.model)
    fetch_nothing(cfg.model)
    torch.manual_seed(0)
    with explained(cfg):
        model = MODELS.build(dict(cfg.model, test_cfg=dict(mode='whole')))
    return trace(model.eval())
