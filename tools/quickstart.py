"""The same as ``mmseg-video quickstart``: train and compare, from nothing."""

from mmseg_video.cli.quickstart import main

if __name__ == '__main__':
    main()
