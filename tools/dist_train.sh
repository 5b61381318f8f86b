#!/usr/bin/env bash
# Train on several GPUs of one or more machines (gloo where there is no GPU):
#   tools/dist_train.sh CONFIG GPUS [arguments of tools/train.py]
# RESTARTS=3 starts all processes again, at most three times, when one of them
# dies; they go on from the last good checkpoint.
# More machines: NNODES, NODE_RANK, MASTER_ADDR and PORT say which this is.
set -euo pipefail
if [ $# -lt 2 ]; then
  echo "usage: $0 CONFIG GPUS [arguments of tools/train.py]" >&2
  exit 2
fi
source "$(dirname "${BASH_SOURCE[0]}")/python.sh"
# Here, where it is said once and not by every process.
config=$("$PY" -m mmseg_video.cli.find_config "$1")
port=${PORT:-29500}
if [ "${NNODES:-1}" = 1 ]; then
  port=$(free_port "$port")
fi
exec "$PY" -m mmseg_video.cli.launch_processes \
  --nnodes "${NNODES:-1}" --node_rank "${NODE_RANK:-0}" \
  --master_addr "${MASTER_ADDR:-127.0.0.1}" --master_port "$port" \
  --nproc_per_node "$2" --max-restarts "${RESTARTS:-0}" \
  "$TOOLS/train.py" "$config" --launcher pytorch "${@:3}"
