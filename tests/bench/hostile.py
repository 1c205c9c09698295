"""Queries that a public endpoint must survive: what they are, and how they are sent."""
import asyncio, dataclasses, itertools, re, time

DEEP = 3_000
# Just below the longest query that the endpoint takes (256 KiB).
LONG = 250_000
EVERYTHING = "?s ?p ?o"
# Places are shared among clients by their addresses: the hostile ones have others than those beside whom they ask.
STRANGERS = [f"127.0.0.{number}" for number in range(2, 252)]


def nested(before, inside, after, times=DEEP):
    return before * times + inside + after * times


def in_a_row(part, joint="", length=LONG):
    return joint.join([part] * (length // len(part + joint)))


def queries():
    """By name: what takes long, what takes memory, what is deep, what is long, and what hides its depth."""
    a_text = "a" * 20_000 + "!"
    doubled = " ".join(f"BIND(CONCAT(?x{step}, ?x{step}) AS ?x{step + 1})" for step in range(31))
    return {
        "cross product": "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }",
        "everything in order": f"SELECT * {{ {EVERYTHING} }} ORDER BY ?o ?s ?p",
        "everything of everything, in order": "SELECT * { ?a ?b ?c . ?d ?e ?f } ORDER BY ?c ?f",
        "any path": "SELECT (COUNT(*) AS ?n) { ?s (<http://p.example/>|!<http://p.example/>)* ?o }",
        "all in one text": f"SELECT (GROUP_CONCAT(STR(?o)) AS ?all) {{ {EVERYTHING} }}",
        "all of all in one text": "SELECT (GROUP_CONCAT(STR(?c)) AS ?all) { ?a ?b ?c . ?d ?e ?f }",
        "a text doubled 31 times": f'SELECT (STRLEN(?x31) AS ?n) {{ BIND("a" AS ?x0) {doubled} }}',
        "regex (a+)+$": f'SELECT (COUNT(*) AS ?n) {{ {EVERYTHING} FILTER(REGEX(CONCAT("{a_text}", STR(?o)), "^((a+)+)+$")) }}',
        "regex with large repetitions": f'SELECT (COUNT(*) AS ?n) {{ {EVERYTHING} FILTER(REGEX(STR(?o), "(((a{{1,200}}){{1,200}}){{1,200}})$")) }}',
        "a regex for each row": f'SELECT (COUNT(*) AS ?n) {{ {EVERYTHING} FILTER(REGEX(STR(?o), CONCAT("([a-z]{{1,200}}){{1,20}}", STRAFTER(STR(?s), ":")))) }}',
        "groups in groups": f"SELECT * {nested('{', EVERYTHING, '}')}",
        "OPTIONAL in OPTIONAL": f"SELECT * {{ {nested('?s ?p ?o OPTIONAL { ', EVERYTHING, ' }')} }}",
        "brackets in FILTER": f"SELECT * {{ {EVERYTHING} FILTER{nested('(', 'true', ')')} }}",
        # `<` opens an IRI, or compares.
        "brackets behind a comparison": f"ASK {{ {EVERYTHING} FILTER(?o<{nested('(', '1', ')', LONG // 2)}&&1>0) }}",
        # A name may hold a quote: https://www.w3.org/TR/sparql11-query/#rPN_LOCAL_ESC
        "brackets behind a quote in a name": f"PREFIX e: <http://e.example/> ASK {{ ?s e:a\\' ?o FILTER{nested('(', '1', ')', LONG // 2)} ?s e:b\\' ?o }}",
        "triples in triples": f"ASK {{ {nested('<<', '?s', ' ?p ?o >>', LONG // 11)} ?p ?o }}",
        "patterns in a row": f"ASK {{ {in_a_row(EVERYTHING, ' . ')} }}",
        "OPTIONALs in a row": f"ASK {{ {in_a_row('OPTIONAL{?s ?p ?o}')} }}",
        "UNIONs in a row": f"ASK {{ {in_a_row('{?s ?p ?o}', 'UNION')} }}",
        "a path of many steps": f"ASK {{ ?s {in_a_row('<p:>', '/')} ?o }}",
        "a sum of many": f"ASK {{ FILTER({in_a_row('1', '+')} = 1) }}",
        "many ors": f"ASK {{ FILTER({in_a_row('1=2', '||')}) }}",
        "a long list": f"SELECT (COUNT(*) AS ?n) {{ {EVERYTHING} FILTER(?o NOT IN ({in_a_row('1.5', ',')})) }}",
        "10 MB of query": f"SELECT * {{ {in_a_row(EVERYTHING, ' . ', 10_000_000)} }}",
    }


@dataclasses.dataclass
class Answer:
    """What came back; no status where the connection was closed or nothing came in time."""
    status: int | None
    seconds: float
    size: int
    # Whether it came to the end that its head names.
    is_whole: bool


def ask_all(address, asked, strangers, patience):
    """Sends queries at once, each on a connection of its own, from one of the strangers' addresses after the other."""
    async def together():
        origins = itertools.cycle(strangers)
        return await asyncio.gather(*(ask(address, query, next(origins), patience) for query in asked))

    return asyncio.run(together())


async def ask(address, query, origin, patience):
    start, got = time.monotonic(), bytearray()
    try:
        async with asyncio.timeout(patience):
            await converse(address, query, origin, got)
    except (OSError, TimeoutError):
        pass
    seconds, head, body = time.monotonic() - start, *got.partition(b"\r\n\r\n")[::2]
    status = int(head[9:12]) if head[9:12].isdigit() else None
    length = re.search(rb"content-length: *(\d+)", head.lower())
    is_whole = len(body) == int(length[1]) if length else body.endswith(b"0\r\n\r\n")
    return Answer(status, seconds, len(body), status is not None and is_whole)


async def converse(address, query, origin, got):
    """Sends a query and reads to the end of the connection."""
    host, port = address.rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port), local_addr=(origin, 0))
    try:
        body = query.encode()
        head = f"POST /sparql HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/sparql-query\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        while part := await reader.read(1 << 18):
            got += part
    finally:
        writer.close()
