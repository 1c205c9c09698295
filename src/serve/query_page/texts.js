// What the script says, in the page's language. The rest of the page's words are in its template.

const TEXTS = {
  en: {
    stop: "Stop",
    running: "Running…",
    stopped: "Stopped.",
    results: "Results",
    table: "Table",
    raw: "Raw",
    view: "View",
    download: "Download",
    downloaded: (name) => `Downloaded as ${name}.`,
    rows: (count, time) => `${count} ${count === "1" ? "row" : "rows"} in ${time}.`,
    answered: (size, time) => `${size} in ${time}.`,
    shown: (count, of) => `${count} of ${of} rows are shown.`,
    more: "More rows",
    cut: "Only the beginning is shown: download the answer to have the whole of it.",
    yes: "Yes",
    no: "No",
    unanswered: "No answer",
    unreachable: "The server cannot be reached.",
    failed: (status) => `The server answered ${status}.`,
    copied: "The link is copied.",
    completions: "Completions",
    filled: (title) => `The query is now: ${title}.`,
  },
  fr: {
    stop: "Arrêter",
    running: "En cours…",
    stopped: "Arrêtée.",
    results: "Résultats",
    table: "Tableau",
    raw: "Brut",
    view: "Affichage",
    download: "Télécharger",
    downloaded: (name) => `Téléchargé sous le nom ${name}.`,
    rows: (count, time) => `${count} ${count === "0" || count === "1" ? "ligne" : "lignes"} en ${time}.`,
    answered: (size, time) => `${size} en ${time}.`,
    shown: (count, of) => `${count} lignes sur ${of} sont affichées.`,
    more: "Plus de lignes",
    cut: "Seul le début est affiché : téléchargez la réponse pour l’avoir entière.",
    yes: "Oui",
    no: "Non",
    unanswered: "Pas de réponse",
    unreachable: "Le serveur est injoignable.",
    failed: (status) => `Le serveur a répondu ${status}.`,
    copied: "Le lien est copié.",
    completions: "Complétions",
    filled: (title) => `La requête est maintenant : ${title}.`,
  },
};

export const language = document.documentElement.lang === "fr" ? "fr" : "en";
export const texts = TEXTS[language];

export const number = (value) => value.toLocaleString(language);

export const seconds = (milliseconds) =>
  (milliseconds / 1000).toLocaleString(language, { style: "unit", unit: "second", maximumFractionDigits: 2 });

/** A size in kilobytes or megabytes, as a person reads it. */
export function size(bytes) {
  const isLarge = bytes >= 1_000_000;
  const value = isLarge ? bytes / 1_000_000 : bytes / 1000;
  const unit = isLarge ? "megabyte" : "kilobyte";
  return value.toLocaleString(language, { style: "unit", unit, maximumFractionDigits: 1 });
}
