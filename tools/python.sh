# Sourced, not run: $TOOLS is this folder, and $PY the Python to use: the
# active environment's, else the one that quickstart.sh made.
TOOLS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PY=$(command -v python || command -v python3 || true)
if [ -z "$PY" ] || ! "$PY" -c 'import importlib.util as u, sys; sys.exit(u.find_spec("mmseg_video") is None)'; then
  PY="$TOOLS/../.venv/bin/python"
  if [ ! -x "$PY" ]; then
    echo "error: mmseg_video is not installed: pip install -e ., or bash tools/quickstart.sh" >&2
    exit 1
  fi
fi
