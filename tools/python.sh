# Sourced, not run: $TOOLS is this folder, and $PY the Python to use: the
# active environment's, else the one that quickstart.sh made.
TOOLS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
PY=$(command -v python || command -v python3 || true)
# From /, where no folder of a clone can pass for the installed package.
if [ -z "$PY" ] || ! (cd / && "$PY" -c 'import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, ("torch", "mmseg", "mmseg_video"))))'); then
  PY="$TOOLS/../.venv/bin/python"
  if [ ! -x "$PY" ]; then
    echo "error: mmseg_video is not installed: pip install -e ., or bash tools/quickstart.sh" >&2
    exit 1
  fi
fi

# free_port FIRST: that port of this machine, or another where it is taken.
free_port() {
  "$PY" - "$1" <<'PYTHON'
import socket
import sys

wanted = int(sys.argv[1])
for port in (wanted, 0):
    with socket.socket() as free:
        try:
            free.bind(('127.0.0.1', port))
        except OSError:
            continue
        taken = free.getsockname()[1]
    if taken != wanted:
        print(f'port {wanted} is taken: uses {taken}', file=sys.stderr)
    print(taken)
    break
PYTHON
}
