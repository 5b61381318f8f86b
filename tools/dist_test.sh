#!/usr/bin/env bash
# Test on several GPUs of one or more machines (gloo where there is no GPU):
#   tools/dist_test.sh CONFIG CHECKPOINT GPUS [arguments of tools/test.py]
# More machines: NNODES, NODE_RANK, MASTER_ADDR and PORT say which this is.
set -euo pipefail
if [ $# -lt 3 ]; then
  echo "usage: $0 CONFIG CHECKPOINT GPUS [arguments of tools/test.py]" >&2
  exit 2
fi
source "$(dirname "${BASH_SOURCE[0]}")/python.sh"
# Here, where it is said once and not by every process.
config=$("$PY" -m mmseg_video.cli.find_config "$1")
[ -f "$2" ] || { echo "error: no checkpoint '$2'" >&2; exit 1; }
port=${PORT:-29501}
if [ "${NNODES:-1}" = 1 ]; then
  port=$(free_port "$port")
fi
exec "$PY" -m mmseg_video.cli.launch_processes \
  --nnodes "${NNODES:-1}" --node_rank "${NODE_RANK:-0}" \
  --master_addr "${MASTER_ADDR:-127.0.0.1}" --master_port "$port" \
  --nproc_per_node "$3" \
  "$TOOLS/test.py" "$config" "$2" --launcher pytorch "${@:4}"
