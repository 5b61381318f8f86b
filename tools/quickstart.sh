#!/usr/bin/env bash
# The main job from nothing: set-up, data, both trainings, the table, the GIF.
#   bash tools/quickstart.sh [--dataset cityscapes|camvid --data-root PATH]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
ensure_env
exec "$PY" "$ROOT/tools/quickstart.py" "$@"
