"""What the benchmarks have in common: the program as it is measured, the data, and how a command is timed."""
import os, pathlib, shutil, subprocess, sys, tempfile, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "engines"))
from environment import CACHE, DATA, ROOT

GENERATOR = DATA / "../tools/gen_catalog.py"


def timed(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
    """Runs a command; gives its seconds and its peak memory in megabytes."""
    os.sync()  # what the command before it left to be written would slow this one down
    start = time.monotonic()
    child = subprocess.Popen([str(part) for part in command], stdout=stdout, stderr=stderr)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.monotonic() - start
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, 1):
        sys.exit(f"{' '.join(map(str, command))}: exit {code}")
    return seconds, usage.ru_maxrss / 1024


def build():
    """The program as operators run it: released, as Oxigraph's own is. The first build takes half an hour."""
    subprocess.run(["cargo", "build", "--quiet", "--release", "--bin", "moisson"], cwd=ROOT, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", CACHE / "target"))
    binary = pathlib.Path(tempfile.mkdtemp()) / "moisson"
    shutil.copy(target / "release/moisson", binary)
    subprocess.run([binary, "--version"], check=True, stdout=subprocess.DEVNULL)  # read from the disk once
    return binary


def generate(folder, size):
    """A catalogue in one Turtle file."""
    command = [sys.executable, GENERATOR, "write", "--n", str(size), "--single", "--formats", "ttl", "--out", folder]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return folder / "catalog.ttl"
