"""Asks a server as fast as so many clients can, each on a connection that it keeps, its next question after an answer.

By wrk where that is installed; else by processes of this file, over bare sockets: at thousands of answers a second an
HTTP library takes more of the processor than the server does. What the clients took of it is among the figures.
"""
import contextlib, dataclasses, json, os, pathlib, re, selectors, shutil, socket, statistics, subprocess, sys, tempfile, time

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass
class Figures:
    """Of one run: whole answers of status 200, others, and how long an answer took, in seconds."""
    answers: int
    refused: int
    seconds: float
    median: float
    p99: float
    # Processor time of the clients.
    client: float

    @property
    def rate(self):
        return self.answers / self.seconds


def load(address, paths, accept, clients, seconds):
    """The figures of so many clients over so many seconds; `address` is a host and a port."""
    with tempfile.NamedTemporaryFile("w", suffix=".paths") as file:
        file.write("\n".join(paths) + "\n")
        file.flush()
        if shutil.which("wrk"):
            return by_wrk(address, file.name, accept, clients, seconds)
        return by_processes(address, file.name, accept, clients, seconds)


def by_wrk(address, file, accept, clients, seconds):
    threads = min(clients, os.cpu_count())
    words = ["wrk", "-t", threads, "-c", clients, "-d", f"{seconds}s", "--timeout", "60s", "-s", HERE / "load.lua", f"http://{address}/", "--", file, accept]
    [(said, used)] = ended([words])
    found = json.loads(said.strip().splitlines()[-1])
    found["answers"] -= found["refused"]
    return Figures(**found, client=used)


def by_processes(address, file, accept, clients, seconds):
    number = min(clients, os.cpu_count())
    shares = [clients // number + (part < clients % number) for part in range(number)]
    outcomes = ended([[sys.executable, __file__, address, file, accept, share, seconds, part] for part, share in enumerate(shares)])
    times, refused = [], 0
    for said, _ in outcomes:
        part = json.loads(said)
        times += part["times"]
        refused += part["refused"]
    times.sort()
    median = statistics.median(times) if times else float("nan")
    p99 = times[min(len(times) - 1, len(times) * 99 // 100)] if times else float("nan")
    return Figures(len(times), refused, seconds, median, p99, sum(used for _, used in outcomes))


def ended(commands):
    """Runs commands at once; what each printed, and the processor time that it took."""
    children = [subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE) for words in commands]
    outcomes = []
    try:
        for child in children:
            said = child.stdout.read()
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            if child.returncode:
                raise RuntimeError(f"{child.args[0]}: exit {child.returncode}")
            outcomes.append((said.decode(), usage.ru_utime + usage.ru_stime))
    finally:
        for child in children:
            if child.returncode is None:
                child.kill()
                child.wait()
    return outcomes


class Client:
    """A connection that is kept, and the question on it that waits for its answer."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request):
        self.got, self.end, self.has_head = bytearray(), None, False
        self.since = time.perf_counter()
        self.socket.sendall(request)

    def read(self):
        """Takes what has come; the answer's status once it is whole."""
        part = self.socket.recv(1 << 18)
        if not part:
            raise ConnectionError("closed")
        self.got += part
        if not self.has_head:
            at = self.got.find(b"\r\n\r\n")
            if at < 0:
                return None
            length = re.search(rb"content-length: *(\d+)", self.got[:at].lower())
            self.has_head, self.end = True, at + 4 + int(length[1]) if length else None
        # Without a length it is chunked; no text in JSON or N-Triples has a bare line break.
        is_whole = len(self.got) >= self.end if self.end is not None else self.got.endswith(b"\r\n0\r\n\r\n")
        return int(self.got[9:12]) if is_whole else None


def drive(address, requests, clients, seconds, at):
    """One process's clients: the times of good answers, and the number of others."""
    ready, times, refused = selectors.DefaultSelector(), [], 0

    def begin():
        nonlocal at
        client = Client(address)
        at += 1
        client.ask(requests[at % len(requests)])
        ready.register(client.socket, selectors.EVENT_READ, client)

    for _ in range(clients):
        with contextlib.suppress(OSError):
            begin()
    end = time.perf_counter() + seconds
    while (now := time.perf_counter()) < end:
        for key, _ in ready.select(end - now):
            client = key.data
            try:
                status = client.read()
                if status is None:
                    continue
                if status == 200:
                    times.append(time.perf_counter() - client.since)
                else:
                    refused += 1
                at += 1
                client.ask(requests[at % len(requests)])
            except OSError:
                # What the server closes counts as refused, and the client comes again.
                refused += 1
                ready.unregister(client.socket)
                client.socket.close()
                with contextlib.suppress(OSError):
                    begin()
        if not ready.get_map():
            time.sleep(0.1)
            with contextlib.suppress(OSError):
                begin()
    return {"times": times, "refused": refused}


def main(address, file, accept, clients, seconds, part):
    paths = pathlib.Path(file).read_text().splitlines()
    requests = [f"GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: {accept}\r\n\r\n".encode() for path in paths]
    # Each process begins elsewhere.
    start = int(part) * len(requests) // (os.cpu_count() or 1)
    print(json.dumps(drive(address, requests, int(clients), float(seconds), start)))


if __name__ == "__main__":
    main(*sys.argv[1:])
