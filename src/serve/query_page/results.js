// The answer of the endpoint as a table, as text and as files. Answers hold what publishers write: it is only ever
// set as text, and only links of the schemes below are links.

import { shorten, terms } from "./terms.js";
import { number, size, texts } from "./texts.js";

const ROWS = 200;
const CHARACTERS = 200_000;
const LINK = /^(?:https?|ftps?):\/\//;
// Datatypes that a value shows by itself.
const EVIDENT = /^http:\/\/www\.w3\.org\/2001\/XMLSchema#(?:string|integer|decimal|double|boolean)$/;

const FORMATS = {
  table: [
    ["CSV", "text/csv", "csv"],
    ["TSV", "text/tab-separated-values", "tsv"],
    ["JSON", "application/sparql-results+json", "json"],
    ["XML", "application/sparql-results+xml", "xml"],
  ],
  graph: [
    ["Turtle", "text/turtle", "ttl"],
    ["N-Triples", "application/n-triples", "nt"],
    ["RDF/XML", "application/rdf+xml", "rdf"],
    ["JSON-LD", "application/ld+json", "jsonld"],
  ],
};

/** An element with its properties and children, as the templates of the other pages would write it. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [property, value] of Object.entries(properties)) {
    if (property in made) made[property] = value;
    else made.setAttribute(property, value);
  }
  made.append(...children);
  return made;
}

function cell(term, prefixes) {
  if (!term) return element("td");
  if (term.type === "uri") {
    const text = shorten(term.value, prefixes).replace(/^<(.*)>$/, "$1");
    if (!LINK.test(term.value)) return element("td", {}, text);
    return element("td", {}, element("a", { href: term.value, rel: "nofollow noreferrer", title: term.value }, text));
  }
  if (term.type === "bnode") return element("td", {}, `_:${term.value}`);
  if (term.type === "triple") return element("td", {}, element("code", {}, triple(term.value, prefixes)));
  const kind = term["xml:lang"] ?? (term.datatype && !EVIDENT.test(term.datatype) ? shorten(term.datatype, prefixes) : "");
  const value = element("span", term["xml:lang"] ? { lang: term["xml:lang"] } : {}, term.value);
  return element("td", {}, value, ...(kind ? [" ", element("span", { className: "kind" }, kind)] : []));
}

function triple({ subject, predicate, object }, prefixes) {
  const text = (term) =>
    term.type === "triple" ? triple(term.value, prefixes)
    : term.type === "uri" ? shorten(term.value, prefixes)
    : JSON.stringify(term.value);
  return `<< ${[subject, predicate, object].map(text).join(" ")} >>`;
}

/** A table that grows by a press of a button, for a browser cannot lay out all the rows that a query may have. */
function table({ head, results }, prefixes) {
  const names = head.vars;
  const rows = results.bindings;
  const body = element("tbody");
  const heads = names.map((name) => element("th", { scope: "col" }, name));
  const made = element("table", {}, element("thead", {}, element("tr", {}, ...heads)), body);
  const scroll = element("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": texts.results }, made);
  const count = element("p", { className: "facts" });
  const more = element("button", { type: "button", className: "quiet" }, texts.more);
  const grow = () => {
    const start = body.rows.length;
    const next = rows.slice(start, start + (start ? ROWS * 5 : ROWS));
    body.append(...next.map((row) => element("tr", {}, ...names.map((name) => cell(row[name], prefixes)))));
    more.hidden = count.hidden = body.rows.length >= rows.length;
    count.textContent = texts.shown(number(body.rows.length), number(rows.length));
    // The button may have gone with the focus on it.
    if (start && more.hidden) scroll.focus();
  };
  more.addEventListener("click", grow);
  grow();
  return element("div", {}, scroll, count, more);
}

function raw(text) {
  const properties = { tabIndex: 0, className: "raw", role: "region", "aria-label": texts.results };
  const shown = element("pre", properties, text.slice(0, CHARACTERS));
  return element("div", {}, ...(text.length > CHARACTERS ? [element("p", { className: "facts" }, texts.cut)] : []), shown);
}

/** Two buttons, of which one is pressed. */
function views(make, place) {
  const buttons = Object.entries(make).map(([name, draw]) => {
    const button = element("button", { type: "button", className: "quiet", "aria-pressed": "false" }, texts[name]);
    button.addEventListener("click", () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      place.replaceChildren(draw());
    });
    return button;
  });
  buttons[0].click();
  if (buttons.length === 1) return [];
  return [element("div", { className: "group", role: "group", "aria-label": texts.view }, ...buttons)];
}

/** What an answer is: rows, yes or no, or a graph, and its text. */
export function parsed(text, mediaType) {
  if (!/json/.test(mediaType) || /ld\+json/.test(mediaType)) return { text, kind: "graph" };
  const json = JSON.parse(text);
  if (typeof json.boolean === "boolean") return { text, kind: "table", is: json.boolean };
  return { text: JSON.stringify(json, null, 1), kind: "table", json, rows: json.results.bindings.length };
}

/** Draws an answer. `download(mediaType, fileName)` fetches it in another format. */
export async function draw(answer, place, download) {
  const { prefixes } = await terms;
  const body = element("div");
  const make = { raw: () => raw(answer.text) };
  const drawn =
    answer.json ? { table: () => table(answer.json, prefixes), ...make }
    : answer.is === undefined ? make
    : { table: () => element("p", { className: "boolean" }, answer.is ? texts.yes : texts.no), ...make };
  // CSV and TSV have no form for yes and no.
  const formats = FORMATS[answer.kind].filter(([, type]) => answer.is === undefined || !/^text/.test(type));
  const files = formats.map(([name, mediaType, suffix]) => {
    const button = element("button", { type: "button", className: "quiet" }, name);
    button.addEventListener("click", () => download(mediaType, `results.${suffix}`));
    return button;
  });
  const downloads = element("div", { className: "group", role: "group", "aria-label": texts.download });
  downloads.append(element("span", { className: "facts" }, texts.download), ...files);
  const title = element("h2", { id: "answer-title" }, texts.results);
  place.replaceChildren(title, element("div", { className: "tools" }, ...views(drawn, body), downloads), body);
}

/** The sizes of an answer, in a few words. */
export function summary(answer, time) {
  if (answer.rows !== undefined) return texts.rows(number(answer.rows), time);
  return texts.answered(size(new TextEncoder().encode(answer.text).length), time);
}
