"""The same as ``mmseg-video pseudo-label``: label the unlabelled frames."""

from mmseg_video.cli.pseudo_label import main

if __name__ == '__main__':
    main()
