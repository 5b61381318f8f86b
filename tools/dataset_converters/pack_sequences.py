"""The same as ``mmseg-video pack``: few large files in place of a tree."""

from mmseg_video.cli.pack import main

if __name__ == '__main__':
    main()
