"""The same as ``mmseg-video demo``: segment a video and draw it."""

from mmseg_video.cli.demo import main

if __name__ == '__main__':
    main()
