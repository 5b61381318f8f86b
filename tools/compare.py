"""The same as ``mmseg-video compare``: two models on the same video."""

from mmseg_video.cli.compare import main

if __name__ == '__main__':
    main()
