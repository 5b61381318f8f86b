"""mmseg's inference of whole frames or windows, without samples."""

from torch import Tensor, nn

FRAME_SIZE = 'img_shape', 'ori_shape', 'pad_shape'


def infer(segmentor: nn.Module, inputs: Tensor) -> Tensor:
    """Logits (N, classes, H, W) of frames (N, C, H, W), seen as
    ``test_cfg.mode`` says.

    Args:
        segmentor (nn.Module): One of mmseg's, or a recurrent one, for which
            they are stills.
        inputs (Tensor): As its preprocessor gives them.
    """
    meta = dict.fromkeys(FRAME_SIZE, inputs.shape[2:])
    meta |= dict(padding_size=[0] * 4)
    # One each: windows write their size into it.
    metas = [dict(meta) for _ in range(inputs.shape[0])]
    return segmentor.inference(inputs, metas)
