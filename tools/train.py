"""The same as ``mmseg-video train``: train a config."""

from mmseg_video.cli.train import main

if __name__ == '__main__':
    main()
