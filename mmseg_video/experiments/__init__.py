from .. import engine  # noqa: F401, registers, quietly and first

# isort: split
from .ablation import ablate
from .comparison import compare_models
from .execute import execute
from .launch import Launcher, visible_devices
from .model_table import write_model_table
from .plan import Plan, make_plan, time_left
from .quickstart import run_quickstart
from .resolve import missing_files
from .spec import Entry, Spec, read_spec
from .stages import Run, Stage

__all__ = [
    'Entry',
    'Launcher',
    'Plan',
    'Run',
    'Spec',
    'Stage',
    'ablate',
    'compare_models',
    'execute',
    'make_plan',
    'missing_files',
    'read_spec',
    'run_quickstart',
    'time_left',
    'visible_devices',
    'write_model_table',
]
