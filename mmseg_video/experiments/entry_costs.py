"""Parameters and latency of every entry, beside the baseline's."""

import json
from pathlib import Path

import torch

from ..engine.atomic_backend import AtomicLocalBackend
from .costs import build_from, interleaved, num_parameters, streamer
from .plan import Run
from .resolve import hash_of

REPEATS = 9


class Costs:
    """What was measured, kept in a file.

    The latency of a streamed frame is the median of interleaved repeats,
    together with the baseline's in the same go: their ratio holds where the
    clock of the machine does not.

    Args:
        path (Path): A JSON file.
        size (tuple[int, int]): Height and width of the frame.
        device (torch.device): Where it is measured.
    """

    def __init__(
        self, path: Path, size: tuple[int, int], device: torch.device
    ):
        self.path, self.size, self.device = path, size, device
        try:
            self.known = json.loads(path.read_text())
        except (OSError, ValueError):
            self.known = {}

    def of(self, run: Run, baseline: Run | None) -> dict | None:
        """Figures of a run's model, None where it was not measured."""
        return self.known.get(self._key(run, baseline))

    def measure(self, runs: list[Run], baseline: Run | None) -> dict[str, str]:
        """Measure those that were not, in one go; why which failed.

        Args:
            runs (list[Run]): One for each entry.
            baseline (Run | None): That of the baseline.
        """
        # Entries that differ in their training alone have one model.
        models = {}
        for run in [*([baseline] if baseline else []), *runs]:
            models.setdefault(self._key(run, baseline), run)
        new = [run for key, run in models.items() if key not in self.known]
        if not new:
            return {}
        frame = torch.randn(1, 3, *self.size, device=self.device)
        functions, parameters, failed = {}, {}, {}
        for run in dict.fromkeys([*([baseline] if baseline else []), *new]):
            try:
                model = build_from(run.cfg, self.device)
                functions[run] = streamer(model, frame)
                functions[run]()
                parameters[run] = num_parameters(model)
            except Exception as error:  # the others go on
                functions.pop(run, None)
                failed[run.entry.name] = (
                    f'its cost: {str(error) or type(error).__name__}'
                )
        seconds = interleaved(functions, REPEATS, self.device)
        for run in [run for run in new if run in seconds]:
            self.known[self._key(run, baseline)] = dict(
                entry=run.entry.name,
                size=self.size,
                device=str(self.device),
                threads=torch.get_num_threads(),
                torch=torch.__version__,
                parameters=parameters[run],
                latency_ms=1000 * seconds[run],
                ratio=seconds[run] / seconds[baseline]
                if baseline in seconds
                else None,
            )
        AtomicLocalBackend().put_text(
            json.dumps(self.known, indent=1) + '\n', self.path
        )
        return failed

    def _key(self, run: Run, baseline: Run | None) -> str:
        models = [run.cfg.model, baseline and baseline.cfg.model]
        content = [m and m.to_dict() for m in models]
        return hash_of([*content, self.size, str(self.device)])
