"""A window on the screen."""

import os
import sys
import time
from collections import deque

import cv2
import numpy as np

QUITS = (ord('q'), 27)  # 27: Escape


def check_display() -> None:
    """Refuse to show anything where nobody could see it.

    Raises:
        RuntimeError: If there is no display, or OpenCV has no windows.
    """
    named = os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')
    if sys.platform.startswith('linux') and not named:
        raise RuntimeError(
            'there is no display to show frames on: write them to a file or '
            'folder instead, or log in with ssh -X'
        )
    gui = [
        line.partition(':')[2].strip()
        for line in cv2.getBuildInformation().splitlines()
        if line.strip().startswith('GUI:')
    ]
    if gui and gui[0] == 'NONE':
        raise RuntimeError(
            'this OpenCV (opencv-python-headless) has no windows to show '
            'frames in: install opencv-python, or write to a file or folder'
        )


class Window:
    """Shows frames with the rate at which they come; q, Escape or closing it
    ends.

    Args:
        title (str): Of the window.

    Raises:
        RuntimeError: If there is no display.
    """

    def __init__(self, title: str):
        check_display()
        self.title, self._times = title, deque(maxlen=30)

    def __enter__(self) -> 'Window':
        return self

    def __exit__(self, *error) -> None:
        cv2.destroyAllWindows()

    def show(self, picture: np.ndarray) -> bool:
        """Show a picture (H, W, 3) uint8 BGR; whether to go on."""
        self._times.append(time.perf_counter())
        picture = picture.copy()
        if len(self._times) > 1:
            seconds = self._times[-1] - self._times[0]
            rate = (len(self._times) - 1) / max(seconds, 1e-9)
            for colour, width in (((0, 0, 0), 4), ((255, 255, 255), 1)):
                cv2.putText(
                    *(picture, f'{rate:.1f} frames/s', (10, 24)),
                    *(cv2.FONT_HERSHEY_SIMPLEX, 0.6, colour, width),
                    cv2.LINE_AA,
                )
        cv2.imshow(self.title, picture)
        return cv2.waitKey(1) & 0xFF not in QUITS and not self._closed()

    def _closed(self) -> bool:
        """Whether its user has closed it; the next frame would open it
        again."""
        try:
            return cv2.getWindowProperty(self.title, cv2.WND_PROP_VISIBLE) == 0
        except cv2.error:  # some kinds of windows do not tell
            return False
