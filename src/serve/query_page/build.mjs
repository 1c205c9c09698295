// Builds the static files of the query page: dist/editor.js, dist/editor.css, dist/licences.txt.
// The same sources and lock file give the same bytes, so that the files can be kept and compared.

import { build } from "esbuild";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

// @zazuko/yasqe and @zazuko/yasgui-utils are MIT by their package.json and carry no text of it.
const MIT = readFileSync("node_modules/codemirror/LICENSE", "utf8").replace(/^[\s\S]*?(?=Permission is)/, "");

await build({
  entryPoints: ["editor.js"],
  outdir: "dist",
  bundle: true,
  minify: true,
  format: "iife",
  target: ["es2021"],
  charset: "utf8",
  legalComments: "none", // licences.txt has them whole
});

/** The licence of an installed package, as its authors ask to keep it. */
function licence(path, { version, license }) {
  const file = readdirSync(path).find((name) => /^licen[cs]e(\.(md|txt))?$/i.test(name));
  const author = JSON.parse(readFileSync(join(path, "package.json"), "utf8")).author;
  const holder = typeof author === "string" ? author : author?.name;
  const text = file ? readFileSync(join(path, file), "utf8") : `Copyright (c) ${holder}\n\n${MIT}`;
  return `${path.replace("node_modules/", "")} ${version} (${license})\n\n${text.trim()}\n`;
}

const installed = Object.entries(JSON.parse(readFileSync("package-lock.json", "utf8")).packages);
const shipped = installed.filter(([path, { dev, optional }]) => path && !dev && !optional);
// It is within the build of @zazuko/yasqe, which does not name it among its dependencies.
const events = `events 3.3.0 (MIT)\n\nCopyright Joyent, Inc. and other Node contributors.\n\n${MIT.trim()}\n`;
const licences = [...shipped.map(([path, entry]) => licence(path, entry)), events];
writeFileSync("dist/licences.txt", licences.join(`\n${"-".repeat(78)}\n\n`));
