import pytest


@pytest.fixture(autouse=True)
def _configs_are_written_unformatted(monkeypatch):
    """Formatting takes half a second a config, of which there are many."""
    monkeypatch.setattr(
        'yapf.yapflib.yapf_api.FormatCode', lambda text, **_: (text, True)
    )
