from collections.abc import Callable

import cv2
import mmcv
import numpy as np
from mmcv.transforms import BaseTransform
from mmengine import fileio
from mmseg.datasets.transforms import LoadAnnotations
from mmseg.registry import TRANSFORMS

from ...io.decoding import decode_colour, is_grey_png
from ...io.images import JPEG, PNG
from ..decode_threads import in_threads
from ..files import check_file, check_frame, exists
from .colour_labels import ids_of_colours

CONVERTER = 'mmseg-video convert-cityscapes'


@TRANSFORMS.register_module()
class LoadRefFrames(BaseTransform):
    """Loads the ref frames: ``img`` becomes the clip, T x (H, W, 3).

    Stands behind ``LoadImageFromFile``, which loads the key frame. Without
    ``ref_img_paths`` (a still) the clip has one frame.

    Required Keys:

    - img (H, W, 3), the key frame
    - ref_img_paths (optional)
    - missing (optional), 'error' or 'repeat' the clip's next later frame

    Modified Keys:

    - img: list of T x (H, W, 3), in time order, key frame last

    Args:
        imdecode_backend (str): mmcv's. Defaults to 'cv2'.
        color_type (str): mmcv's flag. Defaults to 'color'.
        to_float32 (bool): Defaults to False, uint8.
        backend_args (dict, optional): MMEngine's file backend.

    Raises:
        FileNotFoundError: If a ref frame is missing, unless the dataset has
            ``missing='repeat'``.
        OSError: If a ref frame is empty, broken off or no image.
        ValueError: If it has another size than the key frame.
    """

    def __init__(
        self,
        imdecode_backend: str = 'cv2',
        color_type: str = 'color',
        to_float32: bool = False,
        backend_args: dict | None = None,
    ):
        self.imdecode_backend = imdecode_backend
        self.color_type = color_type
        self.to_float32 = to_float32
        self.backend_args = backend_args

    def transform(self, results: dict) -> dict:
        known = {results.get('img_path')}
        paths = [p for p in results.get('ref_img_paths', ()) if p not in known]
        with in_threads(self._read, self._there(paths)) as read:
            return self._complete(results, read)

    def _there(self, paths: list[str]) -> list[str]:
        """Those of the paths that are files, once each."""
        return [
            p for p in dict.fromkeys(paths) if exists(p, self.backend_args)
        ]

    def _read(self, path: str) -> np.ndarray | None:
        """The image, None where it is none.

        Raises:
            OSError: If the file is missing, empty or broken off.
            ValueError: If its pixels are no 8-bit colours.
        """
        check_frame(path, self.backend_args)
        data = fileio.get(path, backend_args=self.backend_args)
        if (self.imdecode_backend, self.color_type) == ('cv2', 'color'):
            img = decode_colour(data)
        else:
            img = mmcv.imfrombytes(
                data, flag=self.color_type, backend=self.imdecode_backend
            )
        if img is None or not self.to_float32:
            return img
        return img.astype(np.float32)

    def _complete(self, results: dict, read: Callable) -> dict:
        clip = [results['img']]
        loaded = {}
        if results.get('img_path'):
            loaded[results['img_path']] = results['img']
        # Backwards, so that a missing frame can repeat the one after it.
        for path in reversed(results.get('ref_img_paths', ())):
            if path in loaded:
                # Frames must not share memory: a transform may write to one.
                clip.append(loaded[path].copy())
                continue
            loaded[path] = self._load(path, results, clip[-1], read)
            clip.append(loaded[path])
        results['img'] = clip[::-1]
        return results

    def _load(
        self, path: str, results: dict, later: np.ndarray, read: Callable
    ) -> np.ndarray:
        key = results.get('img_path')
        if not exists(path, self.backend_args):
            if results.get('missing') == 'repeat':
                results['changed'] = True
                return later.copy()
            raise FileNotFoundError(
                f"no ref frame '{path}' for the key frame '{key}' (sequence "
                f"'{results.get('sequence')}'): copy it (Cityscapes: 324 GB, "
                'leftImg8bit_sequence_trainvaltest.zip), take fewer or nearer '
                'frames (num_frames, frame_interval), or set '
                "missing='repeat' for the dataset to repeat the next later "
                'frame'
            )
        img = read(path)
        if img is None:
            raise OSError(f"the ref frame '{path}' is no readable image")
        if img.shape != later.shape:
            raise ValueError(
                f"the ref frame '{path}' is {_size(img)}, the key frame "
                f"'{key}' is {_size(later)}: the frames of a clip must have "
                'one size'
            )
        return img

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}('
            f"imdecode_backend='{self.imdecode_backend}', "
            f"color_type='{self.color_type}', to_float32={self.to_float32}, "
            f'backend_args={self.backend_args})'
        )


@TRANSFORMS.register_module()
class LoadClip(LoadRefFrames):
    """Loads a clip: ``img`` is T x (H, W, 3), in time order, key frame last.

    ``LoadImageFromFile`` and ``LoadRefFrames`` in one, so that the key frame
    too is decoded by the fast decoder, beside the others.

    Required Keys:

    - img_path
    - ref_img_paths (optional)
    - missing (optional)

    Added Keys:

    - img: list of T x (H, W, 3)
    - img_shape, ori_shape

    Args:
        kwargs: :class:`LoadRefFrames`'s.

    Raises:
        OSError: If a frame is missing, empty, broken off or no image.
        ValueError: If a ref frame has another size than the key frame.
    """

    def transform(self, results: dict) -> dict:
        key = results['img_path']
        paths = self._there([key, *results.get('ref_img_paths', ())])
        with in_threads(self._read, paths) as read:
            img = read(key)
            if img is None:
                raise OSError(f"the frame '{key}' is no readable image")
            results['img'] = img
            results['img_shape'] = results['ori_shape'] = img.shape[:2]
            return self._complete(results, read)


@TRANSFORMS.register_module()
class LoadClipAnnotations(LoadAnnotations):
    """Loads the key frame's labels (H, W) uint8, and checks them.

    mmseg's ``LoadAnnotations``; where a stream's frame has no label
    (``seg_map_path`` is None or absent), a map full of 255, which losses and
    metrics ignore.

    Required Keys:

    - ori_shape
    - seg_map_path (optional)
    - num_classes (optional; without it ids are not checked)

    Added Keys:

    - gt_seg_map (H, W)
    - seg_fields

    Raises:
        FileNotFoundError: If the label's file is missing.
        OSError: If it is empty or broken off.
        ValueError: If it is no 8-bit map of the image's size with ids of the
            classes or 255.
    """

    def _load_seg_map(self, results: dict) -> None:
        path = results.get('seg_map_path')
        results.setdefault('seg_fields', [])
        # Labels belong to the image as it was loaded: test pipelines load
        # them behind Resize.
        size = tuple(results['ori_shape'][:2])
        if path is None:
            results['gt_seg_map'] = np.full(size, 255, np.uint8)
            results['seg_fields'].append('gt_seg_map')
            return
        label = self.load_ids(results)
        if label.ndim != 2:
            raise ValueError(
                f"the label '{path}' has shape {label.shape}: a map of class "
                'ids (H, W) is expected, not a colour image'
            )
        if label.shape != size:
            raise ValueError(
                f"the label '{path}' is {_size(label)}, its image "
                f"'{results.get('img_path')}' is {'x'.join(map(str, size))}: "
                'they must have one size'
            )
        self._check_ids(path, label, results)

    def load_ids(self, results: dict) -> np.ndarray:
        """The class ids of a label, as they stand there, of any size; also in
        ``gt_seg_map``.

        Args:
            results (dict): With ``seg_map_path``, ``seg_fields`` and what the
                data set says of its labels.
        """
        path, colours = results['seg_map_path'], results.get('label_colours')
        data = self._checked(path)
        if _in_colours(data) and colours is not None:
            self._load_colours(path, results)
            return results['gt_seg_map']
        given = self.imdecode_backend
        if is_grey_png(data):
            # The same levels, in a third of Pillow's time.
            self.imdecode_backend = 'cv2'
        try:
            super()._load_seg_map(results)
        except Exception as error:  # each decoder has its own
            raise _unreadable(path, error) from error
        finally:
            self.imdecode_backend = given
        return results['gt_seg_map']

    def _load_colours(self, path: str, results: dict) -> None:
        """Class ids of a picture in the colours of the classes."""
        image = mmcv.imfrombytes(
            fileio.get(path, backend_args=self.backend_args), backend='cv2'
        )
        if image is None:
            raise _unreadable(path, 'the decoder gives nothing')
        try:
            label = ids_of_colours(
                image[..., ::-1],
                results['label_colours'],
                results.get('ignored_colours', ()),
            )
        except ValueError as error:
            raise ValueError(
                f"the label '{path}' is in colours, but {error}: name the "
                "classes' colours (palette), those to be ignored "
                '(ignored_colours), or store class ids'
            ) from None
        results['gt_seg_map'] = label
        results['seg_fields'].append('gt_seg_map')

    def _checked(self, path: str) -> bytes:
        """The file's bytes; refuses what is no label."""
        if not exists(path, self.backend_args):
            raise FileNotFoundError(
                f"no label '{path}' (Cityscapes' labelTrainIds are made by "
                f'{CONVERTER})'
            )
        check_file(path, self.backend_args)
        data = fileio.get(path, backend_args=self.backend_args)
        # Byte 24 of a PNG is its bit depth: mmseg would wrap 16-bit ids.
        if data.startswith(PNG) and data[24] == 16:
            raise ValueError(
                f"the label '{path}' is a 16-bit image: 8-bit class ids are "
                'expected (Cityscapes: *_labelTrainIds.png, not '
                '*_instanceIds.png)'
            )
        if data.startswith(JPEG):
            raise ValueError(
                f"the label '{path}' is a JPEG, which does not keep class ids "
                'or colours: store labels as PNG'
            )
        return data

    def _check_ids(self, path: str, label: np.ndarray, results: dict) -> None:
        num_classes = results.get('num_classes')
        if num_classes is None:
            return
        counts = cv2.calcHist([label], [0], None, [256], [0, 256]).ravel()
        found = np.flatnonzero(counts[:255]).tolist()
        if found and found[-1] >= num_classes:
            # As they stand in the file, where 0 may be void.
            first = int(bool(results.get('reduce_zero_label')))
            outside = [i + first for i in found if i >= num_classes]
            allowed = f'{first} to {num_classes - 1 + first}'
            if first:
                allowed = f'0 (ignore), {allowed}'
            raise ValueError(
                f"the label '{path}' has the ids {outside}, outside the "
                f'{num_classes} classes: {allowed}, and 255 (ignore), are '
                f'allowed. {results.get("label_help", "")}'.rstrip()
            )


def _in_colours(data: bytes) -> bool:
    # Byte 25: 2 is RGB, 6 RGBA.
    return data.startswith(PNG) and data[25] in (2, 6)


def _unreadable(path: str, why: Exception | str) -> OSError:
    return OSError(
        f"the label '{path}' is no readable image ({why}): make it, or copy "
        'it, again'
    )


def _size(img: np.ndarray) -> str:
    return 'x'.join(map(str, img.shape[:2]))
