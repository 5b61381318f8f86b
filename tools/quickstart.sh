#!/usr/bin/env bash
# The main job from nothing: set-up, data, both trainings, the table, the GIF.
#   bash tools/quickstart.sh [--dataset cityscapes|camvid --data-root PATH]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
if ! env_is_ready; then
  # Help and usage errors need none of what takes minutes to install.
  python=$(find_python)
  status=0
  PYTHONPATH="$ROOT" "$python" -c "
import sys
from mmseg_video.cli.quickstart import parse_args
sys.argv[0] = 'quickstart.sh'
try:
    parse_args(sys.argv[1:])
except ImportError:  # of what reads some values: later, then
    pass
sys.exit(99)  # nothing is wrong" "$@" || status=$?
  [ "$status" = 99 ] || exit "$status"
fi
ensure_env
exec "$PY" "$ROOT/tools/quickstart.py" "$@"
