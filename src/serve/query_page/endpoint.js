// Asking /sparql, by the SPARQL 1.1 Protocol, 2.1.3: the query as it is, for it may be longer than an address may be.

import { texts } from "./texts.js";

// The endpoint offers tables or graphs, by the form of the query: one header serves both.
const EITHER = "application/sparql-results+json, text/turtle;q=0.9";

/** What the endpoint refused, in its words. */
export class Refused extends Error {
  constructor(title, detail) {
    super(detail);
    this.title = title;
  }
}

/** The problem in an answer (RFC 9457), or what its status says when something before the server answered. */
async function refusal(answer) {
  const status = `${answer.status} ${answer.statusText}`.trim();
  const problem = /json/.test(answer.headers.get("content-type") ?? "") ? await answer.json().catch(() => ({})) : {};
  return new Refused(problem.title ?? texts.unanswered, problem.detail ?? texts.failed(status));
}

export async function ask(query, signal, accept = EITHER) {
  const headers = { "Content-Type": "application/sparql-query", Accept: accept };
  const request = fetch("/sparql", { method: "POST", body: query, headers, signal });
  const answer = await request.catch((error) => {
    throw error.name === "AbortError" ? error : new Refused(texts.unanswered, texts.unreachable);
  });
  if (!answer.ok) throw await refusal(answer);
  return answer;
}
