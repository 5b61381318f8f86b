"""Tiny data sets on disk that the tests share.

A frame says which it is: ``number_of(img)`` reads the frame number back.
"""

import cv2
import numpy as np

SIZE = (16, 32)
CAMVID_NAMES = dict(
    train=[
        *(f'0001TP_{n:06d}' for n in (6690, 6720, 6750, 6810, 6840)),
        *(f'0006R0_f{n:05d}' for n in (930, 960)),
        *(f'0016E5_{n:05d}' for n in range(390, 600, 30)),
    ],
    val=[f'0016E5_{n:05d}' for n in range(7959, 7975, 2)],
    test=[f'Seq05VD_f{n:05d}' for n in (0, 30, 60)],
)


def write_image(path, img):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), img)
    return str(path)


def frame(number, size=SIZE):
    """(H, W, 3) uint8 that carries the number in its blue and green."""
    img = np.zeros((*size, 3), np.uint8)
    img[..., 0], img[..., 1] = number // 256, number % 256
    return img


def number_of(img):
    return int(img[0, 0, 0]) * 256 + int(img[0, 0, 1])


def write_snippet(root, city, sequence, key, numbers, split='train'):
    """One labelled frame and the frames of the snippet with these numbers."""
    stem = f'{city}/{city}_{sequence:06d}'
    for number in numbers:
        write_image(
            root / f'leftImg8bit_sequence/{split}'
            f'/{stem}_{number:06d}_leftImg8bit.png',
            frame(number),
        )
    write_image(
        root / f'leftImg8bit/{split}/{stem}_{key:06d}_leftImg8bit.png',
        frame(key),
    )
    label = np.zeros(SIZE, np.uint8)
    label[:, SIZE[1] // 2 :] = 13
    write_image(
        root / f'gtFine/{split}/{stem}_{key:06d}_gtFine_labelTrainIds.png',
        label,
    )


def cityscapes_tree(root, split='train'):
    """Two snippets of a city with running numbers, one of another city."""
    write_snippet(root, 'aachen', 0, 19, range(30), split)
    write_snippet(root, 'bochum', 0, 313, range(294, 324), split)
    write_snippet(root, 'bochum', 0, 600, range(581, 611), split)
    return root


def camvid_tree(root, suffix='.png', names=CAMVID_NAMES):
    """All four ways of naming, with a gap in 0001TP."""
    for split, stems in names.items():
        for stem in stems:
            number = int(''.join(filter(str.isdigit, stem.split('_')[1])))
            write_image(root / split / f'{stem}{suffix}', frame(number))
            label = np.full(SIZE, 3, np.uint8)
            label[0] = 11
            write_image(root / f'{split}annot' / f'{stem}.png', label)
    return root
