import os
import os.path as osp

from mmengine.fileio import LocalBackend, register_backend


class AtomicLocalBackend(LocalBackend):
    """Local files that are whole or not there, for checkpoints.

    What is put goes to a temporary file beside its target, which replaces
    the target at once: a kill in the middle leaves the old file as it was.
    Name it to ``CheckpointHook`` by ``backend_args=dict(backend=
    'atomic_local')``.
    """

    def put(self, obj: bytes, filepath) -> None:
        filepath = osp.abspath(filepath)
        os.makedirs(osp.dirname(filepath), exist_ok=True)
        temporary = f'{filepath}.{os.getpid()}.part'
        try:
            with open(temporary, 'wb') as file:
                file.write(obj)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, filepath)
        except BaseException:
            if osp.exists(temporary):
                os.remove(temporary)
            raise

    def put_text(self, obj: str, filepath, encoding: str = 'utf-8') -> None:
        self.put(obj.encode(encoding), filepath)


register_backend('atomic_local', AtomicLocalBackend, force=True)
