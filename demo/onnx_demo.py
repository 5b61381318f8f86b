"""The same as ``mmseg-video run-onnx``: an exported model on video."""

from mmseg_video.cli.run_onnx import main

if __name__ == '__main__':
    main()
