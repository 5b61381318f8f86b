from mmengine.fileio import LocalBackend, register_backend

from ..io.atomic import write_bytes


class AtomicLocalBackend(LocalBackend):
    """Local files that are whole or not there, for checkpoints.

    A kill in the middle of a write leaves the old file as it was. Name it to
    ``CheckpointHook`` by ``backend_args=dict(backend='atomic_local')``.
    """

    def put(self, obj: bytes, filepath) -> None:
        write_bytes(filepath, obj)

    def put_text(self, obj: str, filepath, encoding: str = 'utf-8') -> None:
        write_bytes(filepath, obj.encode(encoding))


register_backend('atomic_local', AtomicLocalBackend, force=True)
