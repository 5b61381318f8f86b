"""MMEngine's runner of a test, which leaves a training's files as they are."""

from pathlib import Path

from mmengine.runner import Runner


class LoggedTestRunner(Runner):
    """Keeps the config of a test beside its log, in the folder that has its
    time for a name.

    ``Runner`` writes it into the work dir, under the name of the config's
    file. Where a training is tested in its own work dir, with
    ``--cfg-options``, that is the config of the training.
    """

    def dump_config(self) -> None:
        """Write the config that this test goes by."""
        name = Path(self.cfg.filename or 'config.py').name
        self.cfg.dump(str(Path(self.log_dir, name)))
