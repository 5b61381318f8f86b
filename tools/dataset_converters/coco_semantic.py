"""The same as ``mmseg-video convert-coco``: make semantic maps."""

from mmseg_video.cli.convert_coco import main

if __name__ == '__main__':
    main()
