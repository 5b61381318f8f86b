"""What an option lets one choose of.

Alone in the lowest room, so that ``--help`` and an error in a command line
need no torch; the modules that do what is chosen import it too.
"""

# Who starts the processes that share work.
LAUNCHERS = ('none', 'pytorch', 'slurm')
# Of a training: where there is something, and nothing else will do.
RESUME = ('auto', 'must')
# What mixed precision computes in.
AMP = ('float16', 'bfloat16')
# Filters of a net's scores.
STEADY = ('flow', 'place', 'none', 'gated')
# What the first of them follows.
FLOWS = ('dis', 'codec')
# How a frame and its prediction are shown.
DRAWINGS = ('overlay', 'beside', 'labels')
# Of the frames in a packed data set.
PACK_FORMATS = ('png', 'jpeg', 'as-is')
# Of all frames of a video.
CORRUPTIONS = (
    'dropped',
    'noise_burst',
    'motion_blur',
    'dark',
    'jpeg',
    'patch',
)
