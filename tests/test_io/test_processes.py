"""Processes do not run the script that starts them."""

import subprocess
import sys


def test_a_script_without_a_guard_runs_once(tmp_path):
    script = tmp_path / 'script.py'
    script.write_text(
        'from mmseg_video.io.processes import fresh_pool\n'
        "print('once', flush=True)\n"
        'with fresh_pool(2) as pool:\n'
        '    print(pool.map(abs, [-1, 2]), __name__)\n'
    )
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == 'once\n[1, 2] __main__\n', done.stderr
