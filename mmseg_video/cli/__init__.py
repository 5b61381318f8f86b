"""The command lines: what ``mmseg-video NAME`` and ``tools/*.py`` run.

Each module is one of them and has ``main()``. Importing this package alone is
light: :mod:`mmseg_video.cli.main` imports the asked one.
"""
