"""The same as ``mmseg-video test``: test a checkpoint."""

from mmseg_video.cli.test import main

if __name__ == '__main__':
    main()
