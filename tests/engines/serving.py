"""The program over a store of its own: harvests, exports, and a server that ends with the block that started it."""
import contextlib, json, os, pathlib, signal, socket, subprocess, sys, urllib.parse, urllib.request

from environment import CACHE

BINARY = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", CACHE / "target")) / "debug/moisson"
# What a server may take to end the answers under way (src/serve/connections.rs), and some more.
PATIENCE = 15


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Moisson:
    """The program, in a folder that holds its store and its settings.

    The port is chosen before the first harvest: a store's own IRIs, and the next pages of the feed, are addresses of
    the server, as they are where it is in use.
    """

    def __init__(self, binary, folder, settings=""):
        self.binary, self.folder, self.port = pathlib.Path(binary).resolve(), pathlib.Path(folder), free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.folder.mkdir(exist_ok=True)
        (self.folder / "moisson.toml").write_text(f'store = "store"\nbase = "{self.base}"\n{settings}')

    def run(self, *arguments, accepted=(0,), **given):
        """What a command prints; it reads its settings in the folder where it runs."""
        words = [str(self.binary), *map(str, arguments)]
        done = subprocess.run(words, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **given)
        if done.returncode not in accepted:
            sys.exit(f"{' '.join(words)}: exit {done.returncode}: {done.stderr.decode()[-2000:]}")
        return done.stdout

    def harvest(self, address, source, *options):
        """The report of a harvest; 1 says that records had errors."""
        return json.loads(self.run("harvest", address, "--source", source, "--format", "json", *options, accepted=(0, 1)))

    def select(self, query):
        """The rows of a query over the store, without a server."""
        return rows(self.run("query", "-", "--format", "json", input=query.encode()))

    @contextlib.contextmanager
    def serving(self, *options):
        """Gives the server's process; whatever it started has ended with it."""
        with open(self.folder / "server.log", "ab") as log:
            words = [str(self.binary), "serve", "--listen", f"127.0.0.1:{self.port}", *options]
            server = subprocess.Popen(words, cwd=self.folder, stdout=subprocess.PIPE, stderr=log)
        try:
            if not server.stdout.readline().startswith(b"listening on"):
                sys.exit(f"{' '.join(words)}: {(self.folder / 'server.log').read_text()[-2000:]}")
            yield server
        finally:
            end(server)


def ask(base, query, accept="application/sparql-results+json"):
    """An endpoint's answer."""
    request = urllib.request.Request(f"{base}?query={urllib.parse.quote(query)}", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return answer.read()


def rows(answer):
    """The rows of a table in JSON, each a dictionary of terms."""
    return json.loads(answer)["results"]["bindings"]


def family(pid):
    """A process and its descendants."""
    children = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # The name, in brackets, may hold spaces.
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for member in found:
        found += children.get(member, [])
    return found


def end(server):
    """Ends a server, and by their ids the processes that it leaves behind."""
    left = {pid: started(pid) for pid in family(server.pid)[1:]}
    server.terminate()
    try:
        server.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        print(f"the server did not end within {PATIENCE} s of being asked to", file=sys.stderr)
        server.kill()
        server.wait()
    for pid, since in left.items():
        # The same id with another start is another process.
        if since is not None and started(pid) == since:
            print(f"process {pid} outlived the server that started it", file=sys.stderr)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def started(pid):
    """When a process started, in ticks since the machine did."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]
