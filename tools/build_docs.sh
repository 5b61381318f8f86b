#!/usr/bin/env bash
# Builds the documentation, docs/en/_build/html/index.html. Warnings, broken
# links between pages among them, are errors. Arguments go to sphinx-build.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
ensure_env
cd "$ROOT"
"$PY" -c 'import furo, myst_parser, sphinx, sphinx_copybutton' 2>/dev/null ||
  "$PY" -m pip install --disable-pip-version-check --no-input -q -e '.[docs]'
"$PY" -m sphinx -W --keep-going -q -j auto "$@" docs/en docs/en/_build/html
echo "written to docs/en/_build/html/index.html"
