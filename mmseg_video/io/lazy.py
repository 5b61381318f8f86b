"""Packages that are imported when they are first used."""

import importlib


class LazyModule:
    """A package that few need: to import what needs it does not need it.

    ::

        av = LazyModule('av')
        av.open(path)          # imported here

    Args:
        name (str): Of the package.
    """

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, attribute: str):
        return getattr(importlib.import_module(self._name), attribute)
