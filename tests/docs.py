"""What the README, the documentation and the configs' READMEs hold.

python -m tests.docs     how many commands they name, and who runs them
"""

import ast
import re
import shlex
from functools import cache
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
GENERATED = {'_build', 'api'}
FRONT = ('README', 'CHANGELOG', 'CONTRIBUTING', 'SECURITY')
FENCE = re.compile(r'^```([\w{}-]*)\n(.*?)^```', re.M | re.S)
# A command that stands in a line of text.
STARTS = re.compile(
    r'(\w+=\S+ )*(python (tools|demo)/|(bash )?tools/\S+ |mmseg-video )'
)


@cache
def pages() -> dict[str, str]:
    """Path, relative to the repository, -> text."""
    paths = [
        *(ROOT / f'{name}.md' for name in FRONT),
        *(ROOT / 'docs/en').rglob('*.md'),
        *(ROOT / 'configs').rglob('README.md'),
        ROOT / 'work_dirs/checkpoints/README.md',
    ]
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding='utf-8')
        for path in sorted(paths)
        if not GENERATED & set(path.relative_to(ROOT).parts)
        and path.name != 'model_zoo.md'
    }


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return [code for lang, code in FENCE.findall(text) if lang == language]


def prose(text: str) -> str:
    """The text without its fenced blocks."""
    return FENCE.sub('', text)


def spans(text: str) -> list[str]:
    """The inline code, a line break in it as a space."""
    found = re.findall(r'(?<!`)`([^`]+)`(?!`)', prose(text))
    return [' '.join(span.split()) for span in found]


def commands(text: str) -> list[str]:
    """The commands of fenced blocks, each on one line, without comments."""
    found = []
    for block in blocks(text, 'bash'):
        for line in block.replace('\\\n', ' ').splitlines():
            words = shlex.split(line, comments=True)
            if words:
                found.append(shlex.join(words))
    return found


def inline_commands(text: str) -> list[str]:
    """The commands of ours that stand in a line of text."""
    return [
        span
        for span in spans(text)
        # The name of a subcommand is no command line.
        if STARTS.match(span) and not re.fullmatch(r'mmseg-video \S+', span)
    ]


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub and MyST make it."""
    text = re.sub(r'[`*]|\[([^]]*)\]\([^)]*\)', r'\1', heading)
    return re.sub(r'[^\w -]', '', text).strip().lower().replace(' ', '-')


def anchors(text: str) -> set[str]:
    headings = re.findall(r'^#+ (.*)$', prose(text), re.M)
    return {slug(heading) for heading in headings}


def links(text: str) -> list[str]:
    """Targets of links and pictures."""
    return re.findall(r'\]\(([^)\s]+)\)', prose(text))


def defined(code: str) -> set[str]:
    """The names of classes and functions in Python code."""
    kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return {n.name for n in ast.walk(ast.parse(code)) if isinstance(n, kinds)}


def commands_of_pages() -> set[str]:
    """Those of fenced blocks of all pages."""
    return {c for text in pages().values() for c in commands(text)}


def listed() -> dict:
    """docs_commands.yml: who runs which command."""
    return yaml.safe_load((ROOT / 'tests/docs_commands.yml').read_text())


def who_runs() -> str:
    """How many commands a test runs, and how many none does."""
    found = commands_of_pages()
    run = [entry['command'] for entry in listed()['run']]
    run = {c for c in found if any(re.fullmatch(p, c) for p in run)}
    inline = [c for text in pages().values() for c in inline_commands(text)]
    return (
        f'{len(pages())} pages, {len(found)} commands in blocks: '
        f'{len(run)} run by a test, {len(found - run)} listed with the reason '
        f'why not; {len(set(inline))} in lines of text'
    )


@cache
def names() -> frozenset[str]:
    """Every class, function, argument, attribute and key of the package, the
    tools and the configs."""
    found = set()
    for folder in ('mmseg_video', 'tools', 'demo', 'configs'):
        for path in (ROOT / folder).rglob('*.py'):
            tree = ast.parse(path.read_text(encoding='utf-8'))
            for node in ast.walk(tree):
                if isinstance(node, ast.Attribute):
                    found.add(node.attr)
                found |= {
                    value
                    for key in ('name', 'arg', 'id')
                    if isinstance(value := getattr(node, key, None), str)
                }
                if isinstance(node, ast.Constant):
                    text = node.value
                    if isinstance(text, str) and len(text) < 60:
                        found.add(text)
    return frozenset(found)


@cache
def options() -> frozenset[str]:
    """Every option of our command lines."""
    text = ''.join(
        path.read_text(encoding='utf-8')
        for folder in ('tools', 'demo', 'mmseg_video')
        for path in (ROOT / folder).rglob('*.py')
    )
    scripts = ''.join(
        path.read_text(encoding='utf-8')
        for path in (ROOT / 'tools').glob('*.sh')
    )
    # The branches of a script's case: --small) and --out | --seeds).
    branches = re.findall(r'(?m)^ *(--[a-z -|]*)\)', scripts)
    return frozenset(
        re.findall(r"'(--[a-z][a-z-]*)'", text)
        + re.findall(r'--[a-z][a-z-]*', ' '.join(branches))
    )


@cache
def sentences() -> str:
    """All text in the code, what is filled in as an ellipsis."""
    found = []
    for folder in ('mmseg_video', 'tools'):
        for path in (ROOT / folder).rglob('*.py'):
            for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
                if isinstance(node, ast.Constant):
                    found.append(str(node.value))
                elif isinstance(node, ast.JoinedStr):
                    parts = [getattr(v, 'value', '…') for v in node.values]
                    found.append(
                        ''.join(
                            p if isinstance(p, str) else '…' for p in parts
                        )
                    )
    found += [p.read_text() for p in (ROOT / 'tools').glob('*.sh')]
    return '\n'.join(found)


if __name__ == '__main__':
    print(who_runs())
