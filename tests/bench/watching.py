"""What a service takes of the machine: the memory and the processor time of a process and its descendants."""
import contextlib, os, pathlib, re, threading

from serving import family

TICKS = os.sysconf("SC_CLK_TCK")


def memory(pid):
    """Megabytes of a process and its descendants, pages that they share counted once."""
    kilobytes = 0
    for member in family(pid):
        with contextlib.suppress(OSError, TypeError):
            rollup = pathlib.Path(f"/proc/{member}/smaps_rollup").read_text()
            kilobytes += int(re.search(r"^Pss: +(\d+)", rollup, re.MULTILINE)[1])
    return kilobytes / 1024


def processor(pid):
    """Seconds of processor time of a process and its descendants, those that have ended counted with their parents."""
    ticks = 0
    for member in family(pid):
        with contextlib.suppress(OSError):
            fields = pathlib.Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks / TICKS


@contextlib.contextmanager
def peak(pid, every=0.05):
    """Gives a list whose one member is the most memory that the service took while the block ran."""
    most, over = [memory(pid)], threading.Event()

    def watch():
        while not over.wait(every):
            most[0] = max(most[0], memory(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield most
    finally:
        over.set()
        watcher.join()
