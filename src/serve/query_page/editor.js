// Puts the editor in the place of the form's text area, and answers in the place of another page. The form works
// without this script, and stays as it is where the editor cannot start: it is hidden last.

import Yasqe from "@zazuko/yasqe";
import "./editor.css";
import { useOurTerms } from "./completion.js";
import { Refused, ask } from "./endpoint.js";
import { draw, element, parsed, summary } from "./results.js";
import { seconds, texts } from "./texts.js";

const form = document.querySelector("#ask");
const area = form.querySelector("textarea");
const run = form.querySelector("button");
const share = document.querySelector("#share");
const status = document.querySelector("#status");
const problem = document.querySelector("#problem");
const answerPlace = document.querySelector("#answer");

/** The query of a shared link: after the number sign, which no server sees and no log keeps. */
const shared = () => new URLSearchParams(location.hash.slice(1)).get("query");

/** The editor, with what would leave this site, stay in the browser or hold the keyboard turned off. */
function edit() {
  useOurTerms();
  const yasqe = new Yasqe(document.querySelector("#field"), {
    value: shared() ?? area.value,
    inputStyle: "contenteditable", // what screen readers can read; the other kind is an empty text area
    showQueryButton: false,
    createShareableLink: null,
    consumeShareLink: null, // it also takes an endpoint, from a link that anybody may have written
    persistenceId: null,
    prefixCcApi: null,
    resizeable: false,
    editorHeight: "auto",
    extraKeys: {
      Tab: false, // leaves the editor, as everywhere on the page
      "Shift-Tab": false,
      Esc: false, // closes the completions; by itself the editor would drop the focus
      "Ctrl-S": false,
      "Ctrl-Enter": () => form.requestSubmit(),
      "Cmd-Enter": () => form.requestSubmit(),
    },
  });
  // The hint beside the form says it, in the page's language.
  yasqe.showNotification = () => {};
  yasqe.on("autocompletionShown", (_yasqe, { hints }) => {
    hints.setAttribute("aria-label", texts.completions);
    hints.tabIndex = 0; // what scrolls can be reached by keys; the arrow keys of the editor move in it, too
  });
  named(yasqe.getInputField());
  return yasqe;
}

/** Gives the editor the name and the hint of the text area that it replaces. */
function named(input) {
  const label = form.querySelector("label");
  input.setAttribute("role", "textbox");
  input.setAttribute("aria-multiline", "true");
  input.setAttribute("aria-labelledby", label.id);
  input.setAttribute("aria-describedby", "query-hint");
  label.addEventListener("click", () => input.focus());
}

const yasqe = edit();
for (const plain of [area, ...form.querySelectorAll(".plain")]) plain.hidden = true;
for (const scripted of document.querySelectorAll(".scripted")) scripted.hidden = false;
// An editor that was laid out beside what is hidden now has the wrong widths.
yasqe.refresh();

const link = () => `${location.pathname}#${new URLSearchParams({ query: yasqe.getValue() })}`;

function show(error) {
  status.textContent = "";
  const [title, detail] = error instanceof Refused ? [error.title, error.message] : [texts.unanswered, String(error)];
  problem.replaceChildren(element("p", {}, element("strong", {}, title)), element("p", {}, detail));
  problem.hidden = false;
}

let running = null;

/** Runs what `work` does with a signal to stop it; an error is shown, and one at a time runs. */
async function whileRunning(work) {
  const words = run.textContent;
  running = new AbortController();
  run.textContent = texts.stop;
  status.textContent = texts.running;
  problem.hidden = true;
  try {
    await work(running.signal);
  } catch (error) {
    if (error.name === "AbortError") status.textContent = texts.stopped;
    else show(error);
  } finally {
    running = null;
    run.textContent = words;
  }
}

async function answer(query, signal) {
  const start = performance.now();
  answerPlace.replaceChildren();
  const response = await ask(query, signal);
  const text = await response.text();
  const read = parsed(text, response.headers.get("content-type") ?? "");
  const download = (mediaType, fileName) => running || whileRunning((stop) => save(query, mediaType, fileName, stop));
  await draw(read, answerPlace, download);
  status.textContent = summary(read, seconds(performance.now() - start));
}

async function save(query, mediaType, fileName, signal) {
  const blob = await (await ask(query, signal, mediaType)).blob();
  const address = URL.createObjectURL(blob);
  element("a", { href: address, download: fileName }).click();
  // Some browsers read it after the click.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  status.textContent = texts.downloaded(fileName);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (running) return running.abort();
  // The address is the link: what was run can be gone back to, kept and sent.
  const search = new URLSearchParams(location.search);
  for (const spent of ["query", "example"]) search.delete(spent);
  const kept = search.size ? `?${search}` : "";
  history.replaceState(null, "", link().replace("#", `${kept}#`));
  whileRunning((signal) => answer(yasqe.getValue(), signal));
});

share.addEventListener("click", async () => {
  const field = document.querySelector("#link");
  field.value = new URL(link(), location.href).href;
  field.parentElement.hidden = false;
  field.focus();
  field.select();
  // Browsers have no clipboard for pages without TLS: the field is there to copy from.
  const isCopied = await navigator.clipboard?.writeText(field.value).then(() => true, () => false);
  if (isCopied) status.textContent = texts.copied;
});

// A link to another query than the one in the editor would be a wrong one.
yasqe.on("change", () => (document.querySelector("#link").parentElement.hidden = true));

window.addEventListener("hashchange", () => {
  const query = shared();
  if (query !== null && query !== yasqe.getValue()) yasqe.setValue(query);
});

/** Examples fill the editor without a new page, so that Ctrl-Z brings back what was written. */
function fillFrom(examples) {
  const links = document.querySelectorAll("#examples a[data-example]");
  for (const anchor of links) {
    const example = examples.find(({ id }) => id === anchor.dataset.example);
    if (!example) continue;
    anchor.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      for (const other of links) other.removeAttribute("aria-current");
      anchor.setAttribute("aria-current", "true");
      yasqe.setValue(example.query);
      status.textContent = texts.filled(anchor.textContent);
      yasqe.focus();
    });
  }
}

fetch("/query/examples.json")
  .then((response) => (response.ok ? response.json() : []))
  .then(fillFrom, () => {}); // the links lead to the same queries

// The other language has the query that is being written, not the one that the page began with.
for (const other of document.querySelectorAll(".languages a")) {
  other.addEventListener("click", () => (other.hash = new URLSearchParams({ query: yasqe.getValue() })));
}
