"""Which sources a PDF was built from: report.sha256 beside it."""

import hashlib
from pathlib import Path

SIDECAR = 'report.sha256'
PATTERNS = (
    *('*.tex', 'sections/*.tex', '*.bib'),
    *('generated/*', 'figures/*'),
)


def digests(folder: Path) -> dict[str, str]:
    """Path, relative to the folder, -> SHA-256, of all sources and the PDF."""
    paths = {path for pattern in PATTERNS for path in folder.glob(pattern)}
    return {
        str(path.relative_to(folder)): _sha256(path)
        for path in (*sorted(paths), folder / 'report.pdf')
        if path.is_file()
    }


def as_text(found: dict[str, str]) -> str:
    """As ``sha256sum`` writes it, so that ``sha256sum -c`` reads it."""
    return ''.join(f'{digest}  {name}\n' for name, digest in found.items())


def read(folder: Path) -> dict[str, str]:
    """What the sidecar says; nothing where there is none."""
    path = folder / SIDECAR
    if not path.is_file():
        return {}
    lines = (line.split(maxsplit=1) for line in path.read_text().splitlines())
    return {name: digest for digest, name in lines}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
