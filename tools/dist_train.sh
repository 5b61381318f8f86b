#!/usr/bin/env bash
# Train on several GPUs of one or more machines (gloo where there is no GPU):
#   tools/dist_train.sh CONFIG GPUS [arguments of tools/train.py]
# More machines: NNODES, NODE_RANK, MASTER_ADDR and PORT say which this is.
set -euo pipefail
if [ $# -lt 2 ]; then
  echo "usage: $0 CONFIG GPUS [arguments of tools/train.py]" >&2
  exit 2
fi
source "$(dirname "${BASH_SOURCE[0]}")/python.sh"
# Here, where it is said once and not by every process.
config=$("$PY" -m mmseg_video.cli.find_config "$1")
exec "$PY" -m torch.distributed.run \
  --nnodes "${NNODES:-1}" --node_rank "${NODE_RANK:-0}" \
  --master_addr "${MASTER_ADDR:-127.0.0.1}" --master_port "${PORT:-29500}" \
  --nproc_per_node "$2" \
  "$TOOLS/train.py" "$config" --launcher pytorch "${@:3}"
