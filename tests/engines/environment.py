"""The Python environment of the engines that the program is compared with, in the cache folder."""
import os, pathlib, subprocess, venv

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("MOISSON_CACHE", pathlib.Path.home() / ".cache/moisson"))
DATA = pathlib.Path(os.environ.get("MOISSON_TEST_DATA", ROOT / "../shared/data"))


def ready():
    """Installs what is missing and gives the environment's folder."""
    folder, wanted = CACHE / "bench-venv", ROOT / "tests/engines/requirements.txt"
    installed = folder / "requirements.txt"
    if not installed.exists() or installed.read_text() != wanted.read_text():
        print("installing the engines to compare with, from PyPI", flush=True)
        venv.create(folder, with_pip=True)
        subprocess.run([folder / "bin/pip", "-q", "install", "-r", wanted], check=True)
        installed.write_text(wanted.read_text())
    return folder
