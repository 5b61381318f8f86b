from collections.abc import Sequence


def select_ref_frames(
    past_img_paths: Sequence[str],
    img_path: str,
    num_frames: int,
    frame_interval: int = 1,
) -> tuple[list[str], int]:
    """Paths of the T-1 ref frames in time order, and how many are padding.

    Strides back from the key frame; where the past ends too early, the clip
    is padded by repeating its first frame.

    Args:
        past_img_paths (Sequence[str]): The frames that come before the key
            frame, the one right before it last.
        img_path (str): The key frame, the first frame where there is no past.
        num_frames (int): T.
        frame_interval (int): Stride in frames. Defaults to 1.
    """
    wanted = num_frames - 1
    past = list(past_img_paths)[::-1][frame_interval - 1 :: frame_interval]
    past = past[:wanted][::-1]
    missing = wanted - len(past)
    first = past[0] if past else img_path
    return [first] * missing + past, missing
