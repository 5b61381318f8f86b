from .entry_costs import Costs
from .execute import execute
from .launch import LAUNCHERS, Launcher, visible_devices
from .plan import Plan, Run, Stage, make_plan, time_left
from .report import describe, write_report
from .resolve import missing_files
from .spec import Entry, Spec, read_spec

__all__ = [
    'LAUNCHERS',
    'Costs',
    'Entry',
    'Launcher',
    'Plan',
    'Run',
    'Spec',
    'Stage',
    'describe',
    'execute',
    'make_plan',
    'missing_files',
    'read_spec',
    'time_left',
    'visible_devices',
    'write_report',
]
