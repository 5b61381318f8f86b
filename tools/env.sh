# Sourced, not run: makes the project's environment where it is missing, and
# leaves its interpreter in $PY. $PYTHON names the Python to start from.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VENV="$ROOT/.venv"
PY="$VENV/bin/python"

find_python() {
  local candidate
  set -- python3 python3.13 python3.12 python3.11 python3.10
  [ -z "${PYTHON:-}" ] || set -- "$PYTHON"
  for candidate in "$@"; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "error: no Python 3.10 to 3.13 found (tried: ${PYTHON:-python3, python3.13 ... python3.10}); install one, or name it: PYTHON=/path/to/python bash ..." >&2
  return 1
}

# The stamp holds what the environment was made from; it is written last, so an
# install that broke off is done again.
stamp() {
  cat "$ROOT/setup.cfg" "$ROOT/pyproject.toml" | cksum
  echo "$ROOT"
}

env_is_ready() {
  [ -x "$PY" ] && [ "$(cat "$VENV/.ready" 2>/dev/null)" = "$(stamp)" ]
}

ensure_env() {
  local python want
  ! env_is_ready || return 0
  want=$(stamp)  # of what is installed now
  python=$(find_python) || return 1
  echo "Installing into $VENV (torch is large: some minutes the first time) ..."
  if [ ! -x "$PY" ] && ! "$python" -m venv "$VENV"; then
    rm -rf "$VENV"
    echo "error: '$python -m venv' failed; on Debian or Ubuntu: apt install python3-venv" >&2
    return 1
  fi
  "$PY" -m pip install --disable-pip-version-check --no-input -q -e "$ROOT[test]" || {
    echo "error: pip could not install the package (see above); run the command again to go on" >&2
    return 1
  }
  # OpenCV's desktop build wants libGL, which a server may lack.
  "$PY" -c 'import cv2' 2>/dev/null || "$PY" -m pip install \
    --disable-pip-version-check -q --force-reinstall --no-deps opencv-python-headless
  "$PY" -c 'import mmseg_video' >/dev/null || {
    echo "error: the installed package does not import (see above); remove $VENV and try again" >&2
    return 1
  }
  echo "$want" > "$VENV/.ready"
}
