#!/usr/bin/env bash
# Executes demo/overview.ipynb in place, on the CPU in some minutes, and writes
# demo/overview.html. Arguments go to tools/dev/build_notebook.py.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
ensure_env
cd "$ROOT"
"$PY" -c 'import ipykernel, nbclient, nbconvert' 2>/dev/null ||
  "$PY" -m pip install --disable-pip-version-check --no-input -q -e '.[notebook]'
exec "$PY" tools/dev/build_notebook.py "$@"
