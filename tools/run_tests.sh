#!/usr/bin/env bash
# Set-up, linter, all tests. Arguments go to pytest.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
ensure_env
cd "$ROOT"
"$PY" -m ruff check .
"$PY" -m ruff format --check .
"$VENV/bin/lint-imports"
# A process for each core, with one thread each.
export OMP_NUM_THREADS=1
exec "$PY" -m pytest -n auto --dist worksteal "$@"
