"""The same as ``mmseg-video convert-cityscapes``: make labels to train on."""

from mmseg_video.cli.convert_cityscapes import main

if __name__ == '__main__':
    main()
