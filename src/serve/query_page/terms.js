// The prefixes, classes and properties of the store, and how IRIs are written with them.

const NONE = { prefixes: {}, classes: [], properties: [] };

/** What /query/terms.json names. The page works without it, so that a failure only costs completion. */
export const terms = fetch("/query/terms.json")
  .then((answer) => (answer.ok ? answer.json() : NONE))
  .then((known) => ({ ...NONE, ...known }))
  .catch(() => NONE);

// A part of SPARQL's PN_LOCAL that needs no escapes; other names are written in full.
const LOCAL = /^(?:[\p{L}\p{N}_](?:[\p{L}\p{N}_.-]*[\p{L}\p{N}_-])?)?$/u;

/** The prefix of the longest namespace that an IRI begins with and the local name, or nothing. */
export function split(iri, prefixes) {
  let found = null;
  for (const [prefix, namespace] of Object.entries(prefixes)) {
    if (!iri.startsWith(namespace) || (found && found.namespace.length >= namespace.length)) continue;
    const local = iri.slice(namespace.length);
    if (local && LOCAL.test(local)) found = { prefix, namespace, local };
  }
  return found;
}

/** An IRI as short as the prefixes make it. */
export function shorten(iri, prefixes) {
  const parts = split(iri, prefixes);
  return parts ? `${parts.prefix}:${parts.local}` : `<${iri}>`;
}
