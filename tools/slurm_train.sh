#!/usr/bin/env bash
# Train through SLURM:
#   GPUS=8 tools/slurm_train.sh PARTITION JOB_NAME CONFIG [arguments of tools/train.py]
# Two minutes (WARN seconds) before the time is up, SLURM sends SIGUSR1: the
# training writes a checkpoint and ends with status 138. Then the job is asked
# for again, and goes on: within a batch job (sbatch) it is requeued, else a
# new one waits in the queue. A job that SLURM itself requeued goes on too.
set -euo pipefail
if [ $# -lt 3 ]; then
  echo "usage: [GPUS=8] [GPUS_PER_NODE=8] [CPUS_PER_TASK=5] [WARN=120] [SRUN_ARGS=...] $0 PARTITION JOB_NAME CONFIG [arguments of tools/train.py]" >&2
  exit 2
fi
source "$(dirname "${BASH_SOURCE[0]}")/python.sh"
gpus=${GPUS:-8}
per_node=${GPUS_PER_NODE:-$((gpus < 8 ? gpus : 8))}
resume=()
if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then
  resume=(--resume)
fi
while :; do
  status=0
  # One that ends badly leaves the others a minute: all of them may be writing.
  # shellcheck disable=SC2086  # SRUN_ARGS is a list
  srun -p "$1" --job-name="$2" --gres="gpu:$per_node" --ntasks="$gpus" \
    --ntasks-per-node="$per_node" --cpus-per-task="${CPUS_PER_TASK:-5}" \
    --kill-on-bad-exit=0 --wait=60 --signal="USR1@${WARN:-120}" \
    ${SRUN_ARGS:-} \
    "$PY" -u "$TOOLS/train.py" "$3" --launcher slurm "${@:4}" \
    ${resume[@]+"${resume[@]}"} || status=$?
  if [ "$status" -ne 138 ]; then
    exit "$status"
  fi
  if [ -n "${SLURM_JOB_ID:-}" ]; then
    echo "the time is up: job $SLURM_JOB_ID is requeued"
    exec scontrol requeue "$SLURM_JOB_ID"
  fi
  echo "the time is up: a new job goes on"
  resume=(--resume)
done
