#!/usr/bin/env bash
# Builds the report, docs/report/report.pdf: its tables, figures and values from
# the committed results, then the PDF with LaTeX. Arguments go to
# tools/report_tables.py.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/python.sh"
FOLDER="$TOOLS/../docs/report"
NEEDS='texlive-latex-recommended texlive-latex-extra texlive-fonts-recommended latexmk'
for command in latexmk pdflatex bibtex; do
  if ! command -v "$command" >/dev/null; then
    echo "error: '$command' is missing; on Debian or Ubuntu: apt-get install --no-install-recommends $NEEDS" >&2
    exit 1
  fi
done
"$PY" "$TOOLS/report_tables.py" "$@"
BUILD=$(mktemp -d)
trap 'rm -rf "$BUILD"' EXIT
cd "$FOLDER"
# No date in the file: the same sources give the same PDF.
export SOURCE_DATE_EPOCH=0 FORCE_SOURCE_DATE=1
if ! latexmk -pdf -interaction=nonstopmode -halt-on-error -silent -output-directory="$BUILD" report.tex >"$BUILD/latexmk.log" 2>&1; then
  grep -A6 -m1 '^!' "$BUILD/report.log" >&2 || tail -20 "$BUILD/latexmk.log" >&2
  echo 'error: LaTeX failed (see above)' >&2
  exit 1
fi
if grep -E 'Citation .* undefined|Reference .* undefined|There were undefined' "$BUILD/report.log" >&2; then
  echo 'error: the report cites or refers to what is not there (see above)' >&2
  exit 1
fi
cp "$BUILD/report.pdf" .report.pdf  # then in one step: whole, or the old one
mv .report.pdf report.pdf
cd - >/dev/null
"$PY" "$TOOLS/report_tables.py" --digest
echo "written to docs/report/report.pdf"
