"""The same as ``mmseg-video ablate``: many configs into one table."""

from mmseg_video.cli.ablate import main

if __name__ == '__main__':
    main()
