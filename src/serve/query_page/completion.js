// Completion by what the store holds. The editor's own completers ask prefix.cc's list and Linked Open Vocabularies,
// which know other people's terms, and which a server without the Internet cannot reach.

import Yasqe from "@zazuko/yasqe";
import { shorten, split, terms } from "./terms.js";

const MOST = 100;

let known = { prefixes: {}, classes: [], properties: [] };
terms.then((loaded) => (known = loaded));

/** The IRIs that what was typed may mean: `dcat:Da` and `<http://…` by their beginning, `Da` by the local name. */
function matches(iris, typed, prefixes) {
  const text = typed.replace(/^</, "").replace(/>$/, "");
  const [, prefix, local] = /^([^:/]*):(?!\/)(.*)$/.exec(text) ?? [];
  const namespace = prefix === undefined ? undefined : prefixes[prefix];
  const begins = (iri) => iri.startsWith(namespace === undefined ? text : namespace + local);
  const wanted = text.toLowerCase();
  const contains = (iri) => iri.split(/[/#]/).at(-1).toLowerCase().includes(wanted);
  const isName = namespace === undefined && !/[:/<]/.test(typed);
  return iris.filter(isName ? contains : begins).slice(0, MOST);
}

const prefixesOf = (yasqe) => ({ ...known.prefixes, ...yasqe.getPrefixesFromQuery() });

/** What is being typed at the cursor: nothing after white space or a mark such as `;`. */
const typedIn = (token) => (token.type === "punc" ? "" : token.string.trim());

/** A token's text and the place that a suggestion replaces. */
function atCursor(yasqe, token) {
  const { ch } = yasqe.getDoc().getCursor();
  const typed = typedIn(token);
  return typed ? { ...token, autocompletionString: typed } : { ...token, string: "", from: { ch }, to: { ch } };
}

/** Inserts a suggestion and declares its prefix in the one step that Ctrl-Z takes back. */
function insert(yasqe, suggestion, data) {
  const declared = yasqe.getPrefixesFromQuery();
  const prefix = /^([^:<]+):/.exec(suggestion.text)?.[1];
  yasqe.operation(() => {
    yasqe.getDoc().replaceRange(suggestion.text, suggestion.from ?? data.from, suggestion.to ?? data.to, "complete");
    if (prefix && !(prefix in declared)) yasqe.addPrefixes({ [prefix]: known.prefixes[prefix] });
  });
}

/** Whether a property may stand at the cursor. The editor's own asks for a first letter, so that one cannot look. */
function isPropertyPlace(yasqe) {
  const token = yasqe.getCompleteToken();
  return !/^[?$]/.test(token.string) && token.state.possibleCurrent.includes("a");
}

/** Has the store's terms fill the places of a completer. */
function complete(name, kind, places = {}) {
  Yasqe.forkAutocompleter(name, {
    name,
    ...places,
    get: (yasqe, token) => {
      const iris = known[kind];
      return matches(iris, token?.autocompletionString ?? "", prefixesOf(yasqe)).sort((a, b) => {
        const [left, right] = [a, b].map((iri) => split(iri, known.prefixes)?.local ?? iri);
        return left.localeCompare(right);
      });
    },
    preProcessToken: atCursor,
    postProcessSuggestion: (yasqe, _token, iri) => shorten(iri, prefixesOf(yasqe)),
    postprocessHints: (yasqe, hints) =>
      hints.map((hint) => ({ ...hint, hint: (_editor, data, chosen) => insert(yasqe, chosen, data) })),
  });
}

/** Replaces the completers of the editor; variables are completed as it does. */
export function useOurTerms() {
  Yasqe.forkAutocompleter("prefixes", {
    name: "prefixes",
    get: () =>
      terms.then(({ prefixes }) => Object.entries(prefixes).map(([prefix, iri]) => `${prefix}: <${iri}>`).sort()),
    persistenceId: undefined, // what the store holds changes: nothing is kept from one visit to the next
  });
  complete("class", "classes");
  complete("property", "properties", { isValidCompletionPosition: isPropertyPlace });
}
