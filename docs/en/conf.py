"""Sphinx: ``bash tools/build_docs.sh`` builds ``docs/en/_build/html``."""

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT), str(HERE)]

from model_zoo import write_model_zoo  # noqa: E402

project = 'mmseg_video'
author = 'The mmseg_video authors'
copyright = 'The mmseg_video authors, Apache-2.0'
version = release = re.search(
    r"__version__ = '(.+)'", (ROOT / 'mmseg_video/version.py').read_text()
)[1]

extensions = [
    'myst_parser',
    'sphinx.ext.autodoc',
    'sphinx.ext.autosummary',
    'sphinx.ext.mathjax',
    'sphinx.ext.napoleon',
    'sphinx.ext.viewcode',
    'sphinx_copybutton',
]
source_suffix = {'.md': 'markdown', '.rst': 'restructuredtext'}
exclude_patterns = ['_build']
templates_path = ['_templates']

myst_heading_anchors = 4
myst_enable_extensions = ['colon_fence', 'deflist']
copybutton_exclude = '.linenos, .gp, .go'

autosummary_generate = True
autodoc_member_order = 'bysource'
autodoc_typehints = 'none'
napoleon_google_docstring = True
napoleon_numpy_docstring = False

html_theme = 'furo'
html_title = f'mmseg_video {version}'
html_static_path = ['_static']
html_css_files = ['tables.css']
html_theme_options = {'navigation_with_keys': True}

write_model_zoo(ROOT, HERE / 'model_zoo.md')


def outside_links(app, docname, source):
    """Markdown files outside of docs/en are files to download.

    As they stand, their links work where the repository is browsed.
    """
    source[0] = re.sub(
        r'\]\(((?:\.\./){2,}[^)#]+\.md)\)', r'](path:\1)', source[0]
    )


def setup(app):
    app.connect('source-read', outside_links)
