"""A tiny COCO on disk that the tests share."""

import json

import numpy as np

from tests.sequences import write_image

SIZE = (40, 60)  # (H, W)


def square(left, top, right, bottom):
    """A polygon as COCO writes it: x, y, x, y, ..."""
    return [left, top, right, top, right, bottom, left, bottom]


def thing(category, *polygons, **more):
    """An annotation without its ids."""
    return dict(
        category_id=category,
        segmentation=[list(map(float, p)) for p in polygons],
        iscrowd=0,
        **more,
    )


def crowd(category, area):
    """An annotation of a crowd; ``area`` is a boolean map."""
    # Column by column, runs of 0 and 1 in turn, 0 first.
    flat = np.concatenate([[0], area.T.ravel().astype(int)])
    ends = np.flatnonzero(np.diff(flat, append=-1))
    counts = np.diff(ends, prepend=0).tolist()
    return dict(
        category_id=category,
        segmentation=dict(counts=counts, size=list(area.shape)),
        iscrowd=1,
    )


def content(images):
    """instances_*.json of {image id: annotations}."""
    annotations = [
        dict(annotation, image_id=i, id=100 * i + k)
        for i, things in images.items()
        for k, annotation in enumerate(things)
    ]
    return dict(
        images=[
            dict(
                id=i, file_name=f'{i:012d}.jpg', height=SIZE[0], width=SIZE[1]
            )
            for i in images
        ],
        annotations=annotations,
        categories=[
            dict(id=i, name=name)
            for i, name in ((1, 'person'), (3, 'car'), (90, 'toothbrush'))
        ],
    )


def coco_tree(root, images, split='train2017'):
    """Images of noise, and their annotations."""
    rng = np.random.default_rng(0)
    for i in images:
        img = rng.integers(0, 256, (*SIZE, 3), np.uint8)
        write_image(root / split / f'{i:012d}.jpg', img)
    path = root / 'annotations' / f'instances_{split}.json'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content(images)))
    return path
