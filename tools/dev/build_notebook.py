"""Execute demo/overview.ipynb in place and write demo/overview.html."""

import os
import re
import sys
import tempfile
from html import escape
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

from mmseg_video.cli.arguments import tool_parser
from mmseg_video.io.atomic import write_text

HERE = Path(__file__).resolve().parent
NOTEBOOK = HERE.parents[1] / 'demo/overview.ipynb'


def parse_args():
    parser = tool_parser(__doc__)
    parser.add_argument('notebook', type=Path, nargs='?', default=NOTEBOOK)
    parser.add_argument(
        '--timeout', type=int, default=900, help='seconds of one cell'
    )
    args = parser.parse_args()
    if not args.notebook.is_file():
        parser.error(f"no notebook '{args.notebook}'")
    return args


def execute(
    notebook: nbformat.NotebookNode, timeout: int, folder: Path
) -> None:
    """Run all cells, in place; what depends on the machine is left out.

    Args:
        notebook (NotebookNode): Its outputs are replaced.
        timeout (int): Seconds of one cell.
        folder (Path): Where the cells run.

    Raises:
        CellExecutionError: If one fails.
    """
    client = NotebookClient(
        notebook,
        timeout=timeout,
        startup_timeout=300,
        kernel_name='python3',
        record_timing=False,
        resources=dict(metadata=dict(path=str(folder))),
    )
    # They name folders of this machine.
    os.environ['PYTHONWARNINGS'] = 'ignore'
    with tempfile.TemporaryDirectory() as sockets:
        manager = client.create_kernel_manager()
        manager.transport, manager.ip = 'ipc', f'{sockets}/kernel'
        client.execute()
    notebook.metadata = dict(
        kernelspec=dict(
            display_name='Python 3', language='python', name='python3'
        ),
        language_info=dict(name='python'),
        title='mmseg_video: an overview',
    )


def describe_pictures(notebook: nbformat.NotebookNode) -> None:
    """Give each picture its words, for whoever does not see it: the first
    sentence of the text above it, after its heading."""
    words = ''
    for cell in notebook.cells:
        if cell.cell_type == 'markdown':
            words = first_words(cell.source) or words
            continue
        for output in cell.get('outputs', ()):
            for kind in output.get('data', ()):
                if kind.startswith('image/'):
                    output.metadata.setdefault(kind, {})['alt'] = words


def first_words(text: str) -> str:
    """Heading and first sentence of a text in Markdown, without its marks."""
    lines = [line for line in text.splitlines() if line.strip()]
    headings = [line.lstrip('# ') for line in lines if line.startswith('#')]
    body = ' '.join(line for line in lines if not line.startswith('#'))
    body = re.sub(r'\[([^]]*)\]\([^)]*\)', r'\1', body)
    sentence = re.split(r'(?<=[.:;])\s', body)[0].rstrip(':;')
    return re.sub('[*`]', '', ': '.join([*headings[-1:], sentence]))


def as_html(notebook: nbformat.NotebookNode) -> str:
    """One page that needs nothing from elsewhere."""
    exporter = HTMLExporter(
        template_name='notebook', extra_template_basedirs=[str(HERE)]
    )
    page = exporter.from_notebook_node(notebook)[0]
    # nbconvert does not read the words of outputs.
    words = iter(
        [
            output.metadata[kind]['alt']
            for cell in notebook.cells
            for output in cell.get('outputs', ())
            for kind in output.get('data', ())
            if kind.startswith('image/')
        ]
    )
    return re.sub(
        'alt="No description has been provided for this image"',
        lambda _: f'alt="{escape(next(words))}"',
        page,
    )


def main():
    args = parse_args()
    notebook = nbformat.read(args.notebook, as_version=4)
    try:
        execute(notebook, args.timeout, args.notebook.parent)
    except CellExecutionError as error:
        if error.ename == 'SystemExit':  # a sentence of the notebook's own
            sys.exit(error.evalue)
        sys.exit(f'error: {args.notebook.name}: {error.ename}: {error.evalue}')
    describe_pictures(notebook)
    html = as_html(notebook)
    write_text(args.notebook, nbformat.writes(notebook) + '\n')
    write_text(args.notebook.with_suffix('.html'), html)
    print(f'written to demo/{args.notebook.name} and its .html')


if __name__ == '__main__':
    main()
