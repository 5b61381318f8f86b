#!/usr/bin/env bash
# All that only a GPU can tell, in the time there is, most worth first:
#   bash tools/gpu_day.sh [--minutes 25] [--out FOLDER] [--train-camvid ROOT]
# Run again, it does what is missing. --dry rehearses every stage on a CPU.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/python.sh"
exec "$PY" "$TOOLS/gpu_day.py" "$@"
