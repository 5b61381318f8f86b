"""The same as ``mmseg-video export``: a model for ONNX Runtime."""

from mmseg_video.cli.export import main

if __name__ == '__main__':
    main()
