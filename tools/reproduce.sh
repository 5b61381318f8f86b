#!/usr/bin/env bash
# Repeats the evidence of the report: data, trainings, tests, results.
#   bash tools/reproduce.sh [--small] [--out FOLDER] [--seeds "0 1 2"] [--jobs N]
#   bash tools/reproduce.sh --survey    # configs/ablations/survey.yml instead
#   bash tools/reproduce.sh --archived [--survey]   # only the results, from the
#       committed runs: no data, no training, minutes
# Stopped or killed, it goes on when run again. --small rehearses all of it in
# minutes, with nets that have learned nothing.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/python.sh"
ROOT=$(cd "$TOOLS/.." && pwd)
OUT='' SEEDS='' TRAININGS='' JOBS='' SMALL='' SURVEY='' ARCHIVED='' OPTIONS=() SCENES=(240 40 40)
usage='usage: bash tools/reproduce.sh [--small | --archived] [--survey] [--out FOLDER] [--seeds "0 1 2"] [--trainings "0 1 2"] [--jobs N]'
while [ $# -gt 0 ]; do
  case $1 in
    --small) SMALL=1 && shift ;;
    --survey) SURVEY=1 && shift ;;
    --archived) ARCHIVED=_archived && shift ;;
    --out | --seeds | --trainings | --jobs)
      [ $# -gt 1 ] || { echo "error: $1 wants a value; $usage" >&2; exit 2; }
      case $1 in
        --out) OUT=$2 ;;
        --seeds) SEEDS=$2 ;;
        --trainings) TRAININGS=$2 ;;
        --jobs) JOBS=$2 ;;
      esac
      shift 2 ;;
    *) echo "error: unknown argument '$1'; $usage" >&2; exit 2 ;;
  esac
done
if [ -n "$ARCHIVED" ] && [ -n "$SMALL$TRAININGS$JOBS" ]; then
  echo "error: --archived goes with none of --small, --trainings and --jobs: nothing is run; $usage" >&2
  exit 2
fi
if [ -n "$SMALL" ]; then
  SCENES=(8 2 2)
  OPTIONS=(train_cfg.max_iters=4 train_cfg.val_interval=2)
fi
OUT=${OUT:-work_dirs/evidence${SMALL:+_small}$ARCHIVED}
DATA=$OUT/street_scenes
SPECS=(street_scenes street_scenes_{val,clean,long_bursts,occlusion,darkness,far})
LABELS=(bursts/{test,val} {clean,long_bursts,occlusion,darkness,far}/test)
if [ -n "$SURVEY" ]; then  # one data set, the same test
  SPECS=(survey) LABELS=(bursts/test) SEEDS=${SEEDS:-0}
fi
SEEDS=${SEEDS:-0 1 2}
[ -n "$SURVEY$ARCHIVED" ] || TRAININGS=${TRAININGS:-0}  # else as many as the spec says
NAME=${SURVEY:+survey} NAME=${NAME:-street_scenes}
if [ -n "$ARCHIVED" ]; then
  DATA=data/street_scenes  # as in the configs of these runs
  "$PY" "$TOOLS/dev/unpack_runs.py" "$ROOT/work_dirs/results/$NAME/runs.tar.xz" "$OUT"
fi
folders=() roots=() specs=()
for seed in $SEEDS; do
  folders+=("$OUT/seed$seed") roots+=("$DATA/seed$seed")
  [ -n "$ARCHIVED" ] || "$PY" "$TOOLS/dataset_converters/street_scenes.py" "$DATA/seed$seed" \
    --seed "$seed" --train "${SCENES[0]}" --val "${SCENES[1]}" --test "${SCENES[2]}" \
    --size 128 256 --all-labels --variants
done
# Main figures first: each seed's trainings come with its first spec.
failed=0
for i in "${!SPECS[@]}"; do
  spec=$ROOT/configs/ablations/${SPECS[$i]}.yml
  specs+=("${LABELS[$i]}=$spec")
  [ -z "$ARCHIVED" ] || continue
  for seed in $SEEDS; do
    "$PY" "$TOOLS/ablate.py" "$spec" --no-costs --jobs "${JOBS:-1}" ${TRAININGS:+--seeds $TRAININGS} \
      --data-root "$DATA/seed$seed" --out "$OUT/seed$seed" \
      ${OPTIONS:+--cfg-options "${OPTIONS[@]}"} || failed=$?
  done
done
command="bash tools/reproduce.sh${ARCHIVED:+ --archived}${SURVEY:+ --survey} --seeds \"$SEEDS\"${TRAININGS:+ --trainings \"$TRAININGS\"}${SMALL:+ --small}"
pool=("$PY" "$TOOLS/dev/pool_runs.py" "${specs[@]}" --runs "${folders[@]}"
  --data-roots "${roots[@]}" --data-seeds $SEEDS --command "$command" ${OPTIONS:+--cfg-options "${OPTIONS[@]}"})
if [ -n "$SURVEY" ]; then
  # With what was run, though some of it failed.
  "${pool[@]}" --benchmark 'survey on street scenes 1.0' --out "$OUT/survey"
  exit "$failed"
fi
[ "$failed" = 0 ] || exit "$failed"
if [ -z "$ARCHIVED" ]; then
  # Parameters and latency once, with nothing else at work.
  "$PY" "$TOOLS/ablate.py" "$ROOT/configs/ablations/street_scenes.yml" --seeds $TRAININGS \
    --data-root "${roots[0]}" --out "${folders[0]}" ${OPTIONS:+--cfg-options "${OPTIONS[@]}"}
fi
# The rule chooses among those that use the past.
"${pool[@]}" --benchmark 'street scenes 1.0' --choose bursts val \
  --laterals laterals laterals_gated_ema{,_flow,_hold} joint{,_flow}{,_hold} joint_flow_ema{,_hold} \
  --framewise framewise_longer larger_input \
  --over framewise_longer longer_flow_ema{,_hold} --out "$OUT/results"
