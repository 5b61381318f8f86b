"""The same as ``mmseg-video street-scenes``: make labelled driving video."""

from mmseg_video.cli.street_scenes import main

if __name__ == '__main__':
    main()
