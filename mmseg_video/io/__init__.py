"""Frames in and out, and files that are whole or not there.

Needs neither torch nor MMEngine, so that an exported model runs without them:
import from the modules.
"""
