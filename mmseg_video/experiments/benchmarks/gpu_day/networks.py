"""The networks that are measured: the configs', with random weights."""

import torch
from mmengine import Config

from ....io.shipped import find_config
from ...costs import build

FRAMEWISE, LATERALS = 'framewise', 'laterals'
GATED, FLOW = 'gated EMA', 'flow-compensated gated EMA'
NETWORKS = {
    FRAMEWISE: 'unet_cityscapes',
    LATERALS: 'rnn_unet_joint_cityscapes',
    GATED: 'rnn_unet_gated_ema_only_cityscapes',
    FLOW: 'rnn_unet_gated_ema_flow_cityscapes',
}


def config_path(network: str) -> str:
    """The config of a network."""
    return find_config(NETWORKS[network])


def network(
    name: str, device: torch.device | str, seed: int = 0, **kwargs
) -> torch.nn.Module:
    """A segmentor whose past matters.

    What starts at zero, so that the recurrent model equals its baseline, is
    drawn at random: states that nothing reads would hide every error.

    Args:
        name (str): One of :data:`NETWORKS`.
        device (torch.device | str): Where it goes.
        seed (int): Of its weights. Defaults to 0.
        kwargs: Of :func:`build`.
    """
    torch.manual_seed(seed)
    model = build(Config.fromfile(config_path(name)), 'cpu', **kwargs)
    for key, parameter in model.named_parameters():
        if '.proj.' in key and not parameter.any():
            torch.nn.init.normal_(parameter, std=0.05)
    return model.to(device)
