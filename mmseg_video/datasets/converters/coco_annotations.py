"""COCO's ``instances_*.json``, checked."""

import json
from pathlib import Path

LAST_ID = 90  # of a category
# What a field may be, and its name in a sentence.
WHOLE = ((int,), 'a whole number')
NUMBER = ((int, float), 'a number')
STRING = ((str,), 'a string')
IMAGE_ID = ((int, float, str), 'a number or a string')
NEEDED = dict(
    images=dict(id=IMAGE_ID, file_name=STRING, height=WHOLE, width=WHOLE),
    annotations=dict(
        id=None, image_id=IMAGE_ID, category_id=NUMBER, segmentation=None
    ),
    categories=dict(id=NUMBER, name=None),
)


def read_annotations(path: Path) -> dict:
    """The content of an ``instances_*.json``.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it breaks off, lacks what is needed, or has a field
            of another type.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"no annotations '{path}': unpack annotations_trainval2017.zip "
            'there, or name other splits by --splits'
        )
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(
            f"the annotations '{path}' are no whole JSON "
            f'({path.stat().st_size} bytes; {error}): copy the file again'
        ) from None
    for key, fields in NEEDED.items():
        rows = content.get(key) if isinstance(content, dict) else None
        if not isinstance(rows, list):
            raise ValueError(
                f"the annotations '{path}' have no list '{key}': COCO's "
                f'instances_*.json has {", ".join(NEEDED)}'
            )
        for row in rows:
            if not isinstance(row, dict):
                raise ValueError(
                    f"'{path}': an entry of '{key}' is {row!r}, not an object"
                )
            lacking = [f for f in fields if f not in row]
            if lacking:
                raise ValueError(
                    f"'{path}': an entry of '{key}' (id {row.get('id', '?')}) "
                    f"has no '{lacking[0]}'"
                )
            for field, kind in fields.items():
                # Not isinstance(): true and false would be whole numbers.
                if kind and type(row[field]) not in kind[0]:
                    raise ValueError(
                        f"'{path}': an entry of '{key}' (id {row['id']}) has "
                        f'{field} {row[field]!r}, which is not {kind[1]}: '
                        'correct the file'
                    )
    for key in ('images', 'categories'):
        if not content[key]:
            raise ValueError(f"the annotations '{path}' have no {key}")
    return content


def by_image(content: dict, path: Path) -> list[tuple[dict, list[dict]]]:
    """(image, its annotations) for every image.

    Raises:
        ValueError: If an annotation is of no image or category of the file,
            or a category's id is none of COCO's.
    """
    images = {image['id']: (image, []) for image in content['images']}
    names = {c['id']: c['name'] for c in content['categories']}
    outside = [i for i in names if i not in range(1, LAST_ID + 1)]
    if outside:
        raise ValueError(
            f"'{path}': category {outside[0]} ('{names[outside[0]]}') is none "
            f"of COCO's, whose ids in instances_*.json are 1 to {LAST_ID}"
        )
    for annotation in content['annotations']:
        for key, known in (('image_id', images), ('category_id', names)):
            if annotation[key] not in known:
                raise ValueError(
                    f"'{path}': annotation {annotation['id']} has {key} "
                    f'{annotation[key]}, which the file does not list'
                )
        images[annotation['image_id']][1].append(annotation)
    return list(images.values())
