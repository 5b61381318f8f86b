"""The same as ``mmseg-video app``: a web page that segments videos."""

from mmseg_video.cli.app import main

if __name__ == '__main__':
    main()
