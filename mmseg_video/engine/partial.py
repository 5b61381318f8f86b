"""Whether checkpoints may lack parameters of their models."""

import os

# Set by --allow-partial; the tools that a tool starts inherit it.
ALLOW_PARTIAL = 'MMSEG_VIDEO_ALLOW_PARTIAL'


def accepts_partial() -> bool:
    """Whether whatever a checkpoint lacks may stay at its initialisation."""
    return os.environ.get(ALLOW_PARTIAL) == '1'
