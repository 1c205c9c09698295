// Checks pages with axe-core in an installed Chromium; downloads no browser.
//
//   node axe.mjs [--viewport WIDTHxHEIGHT]... [--tag TAG]... [--dark] [--bypass-csp] URL...
//
// axe-core is evaluated through DevTools, which no Content-Security-Policy forbids. --bypass-csp lifts the page's policy
// as well; then styles that the policy blocks are applied, and the page is not the one that people see.
//
// One JSON object a line for each violation, viewport and page. Exit codes: 0 no violation, 1 violations,
// 2 usage, 3 the packages cannot be installed or the browser or a page does not work.
// The packages are puppeteer-core and axe-core, installed by npm in the cache folder, or in AXE_MODULES.
// CHROMIUM names another browser than /usr/bin/chromium.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const PACKAGES = { "puppeteer-core": "24.43.1", "axe-core": "4.14.1" };
// WCAG 2.2 at levels A and AA, and the practices that axe-core holds to be good.
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

function leave(code, message) {
  process.stderr.write(`axe.mjs: ${message}\n`);
  process.exit(code);
}

function parse(words) {
  const asked = { urls: [], viewports: [], tags: [], dark: false, bypass: false };
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (word === "--viewport") {
      const size = /^(\d+)x(\d+)$/.exec(words[++i] ?? "");
      if (!size) leave(2, "--viewport takes WIDTHxHEIGHT, such as 360x800");
      asked.viewports.push({ width: Number(size[1]), height: Number(size[2]) });
    } else if (word === "--tag") {
      const tag = words[++i];
      if (!tag) leave(2, "--tag takes a tag of axe-core, such as wcag2aa");
      asked.tags.push(tag);
    } else if (word === "--dark") asked.dark = true;
    else if (word === "--bypass-csp") asked.bypass = true;
    else if (/^https?:\/\//.test(word)) asked.urls.push(word);
    else leave(2, `neither an option nor an http or https address: ${word}`);
  }
  if (!asked.urls.length) leave(2, "usage: axe.mjs [--viewport WIDTHxHEIGHT]... [--tag TAG]... [--dark] [--bypass-csp] URL...");
  if (!asked.viewports.length) asked.viewports = [{ width: 1280, height: 800 }];
  if (!asked.tags.length) asked.tags = TAGS;
  return asked;
}

function installed(folder) {
  return Object.entries(PACKAGES).every(([name, version]) => {
    const file = join(folder, "node_modules", name, "package.json");
    return existsSync(file) && JSON.parse(readFileSync(file, "utf8")).version === version;
  });
}

function install(folder) {
  if (installed(folder)) return;
  mkdirSync(folder, { recursive: true });
  const manifest = join(folder, "package.json");
  writeFileSync(manifest, JSON.stringify({ private: true, dependencies: PACKAGES }, null, 1));
  const words = ["install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
  const npm = spawnSync("npm", words, { stdio: ["ignore", "ignore", "inherit"], timeout: 300_000 });
  if (npm.status !== 0 || !installed(folder)) leave(3, `npm could not install ${JSON.stringify(PACKAGES)} in ${folder}`);
}

async function check(page, url, asked, viewport, axe) {
  if (asked.bypass) await page.setBypassCSP(true); // before the page is loaded: afterwards it has no effect on it
  await page.setViewport(viewport);
  if (asked.dark) await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "dark" }]);
  const answer = await page.goto(url, { waitUntil: "load", timeout: 60_000 });
  if (!answer || !answer.ok()) throw new Error(`${url} answered ${answer ? answer.status() : "nothing"}`);
  await page.evaluate(axe);
  const values = asked.tags;
  const result = await page.evaluate((v) => globalThis.axe.run(document, { runOnly: { type: "tag", values: v }, resultTypes: ["violations"] }), values);
  return result.violations;
}

const asked = parse(process.argv.slice(2));
const cache = process.env.MOISSON_CACHE ?? join(homedir(), ".cache/moisson");
const folder = process.env.AXE_MODULES ?? join(cache, "axe");
install(folder);
const require = createRequire(join(folder, "package.json"));
const { default: puppeteer } = await import(pathToFileURL(require.resolve("puppeteer-core")).href);
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
if (!existsSync(executablePath)) leave(3, `there is no ${executablePath}: install Debian's package chromium`);
const browser = await puppeteer
  .launch({ executablePath, headless: true, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] })
  .catch((error) => leave(3, `the browser does not start: ${error.message}`));
let found = 0;
let failed = 0;
try {
  for (const url of asked.urls) {
    for (const viewport of asked.viewports) {
      const page = await browser.newPage();
      try {
        for (const { id, impact, help, helpUrl, tags, nodes } of await check(page, url, asked, viewport, axe)) {
          found++;
          const where = nodes.map((node) => ({ target: node.target.flat(), html: node.html.slice(0, 200), summary: node.failureSummary }));
          const size = `${viewport.width}x${viewport.height}`;
          console.log(JSON.stringify({ url, viewport: size, dark: asked.dark, rule: id, impact, help, help_url: helpUrl, tags, nodes: where }));
        }
      } catch (error) {
        failed++;
        process.stderr.write(`axe.mjs: ${url} at ${viewport.width}x${viewport.height}: ${error.message}\n`);
      } finally {
        await page.close();
      }
    }
  }
} finally {
  await browser.close();
}
process.exitCode = failed ? 3 : found ? 1 : 0;
