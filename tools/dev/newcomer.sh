#!/usr/bin/env bash
# What a newcomer does, timed: the wheel of this clone into an empty
# environment, and outside of the clone a GIF of a video of one's own.
#
#   bash tools/dev/newcomer.sh VIDEO.mp4 FOLDER    # FOLDER/newcomer.log
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../env.sh"
[ $# = 2 ] || { echo "usage: newcomer.sh VIDEO FOLDER" >&2; exit 2; }
[ -f "$1" ] || { echo "error: no video '$1'" >&2; exit 1; }
[ ! -e "$2" ] || { echo "error: '$2' exists: name a new folder" >&2; exit 1; }
python=$(find_python)
video=$(realpath "$1")
mkdir -p "$2/empty"
cd "$2/empty"
log=$(realpath ..)/newcomer.log

timed() {  # WHAT COMMAND...: its seconds, and all so far, into the log
  local begin=$SECONDS
  "${@:2}" >>"$log.txt" 2>&1 || { tail -n 5 "$log.txt" >&2; exit 1; }
  echo "$1: $((SECONDS - begin)) s" | tee -a "$log"
}

"$python" -m venv ../env
PATH=$(realpath ../env)/bin:$PATH
timed 'pip wheel . --no-deps -w dist' pip wheel "$ROOT" --no-deps -w ../dist
python - ../dist/*.whl <<'END' | tee -a "$log"
import os, sys, zipfile
names = zipfile.ZipFile(sys.argv[1]).namelist()
def count(start, *ends):
    return sum(n.startswith(start) and n.endswith(ends) for n in names)
print(f'the wheel: {os.path.getsize(sys.argv[1]) / 1024:.0f} KiB, '
      f'{len(names)} files, in .mim of them '
      f'{count("mmseg_video/.mim/configs/", ".py")} configs and bases, '
      f'{count("mmseg_video/.mim/configs/", "metafile.yml")} metafiles, '
      f'{count("mmseg_video/.mim/configs/ablations/", ".yml")} specs, '
      f'{count("mmseg_video/.mim/tools/", ".py", ".sh")} tools, '
      f'{count("mmseg_video/.mim/work_dirs/", ".pth")} checkpoints, '
      f'{count("mmseg_video/.mim/demo/", ".py")} demos')
END
SECONDS=0
timed 'pip install dist/*.whl' pip install ../dist/*.whl
timed 'mmseg-video --help' mmseg-video --help
# OpenCV's desktop build wants libGL, which a server may lack.
python -c 'import cv2' 2>/dev/null ||
  timed 'pip install --force-reinstall --no-deps opencv-python-headless' \
    pip install --force-reinstall --no-deps opencv-python-headless
timed 'mmseg-video run VIDEO unet_imagenet_camvid --resize 270 480 --end 2 --out OUT.gif' \
  mmseg-video run "$video" unet_imagenet_camvid --resize 270 480 --end 2 \
  --out OUT.gif
echo "from 'pip install' to the first GIF: $SECONDS s" | tee -a "$log"
du -sh ../env | sed 's/\t.*/ in the environment/' | tee -a "$log"
