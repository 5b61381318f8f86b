"""The same as ``mmseg-video run``: a net on video, steadied."""

from mmseg_video.cli.run import main

if __name__ == '__main__':
    main()
