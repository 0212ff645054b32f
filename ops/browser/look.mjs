// Looks at letters and pages in a real browser: accessibility (axe), nothing wider than the screen, nothing fetched.
//
//   node look.mjs JOBS.json      (modules from $FORTHRIGHT_BROWSER, the folder that has node_modules)
//
// JOBS.json: { "widths": [360, 1280], "pages": [{ "name", "file" | "url", "least"?, "bare"?, "without"?, "locale"?, "shot"? }] }
//   least  characters that can be seen at the least
//   file   a letter: shown as mail programs do, offline; any request it makes is a finding
//   url    a page of ours: requests to its own origin are allowed
//   without  rules of axe that do not count here
//   bare   also without its stylesheet, as some mail programs show it
//   shot   [{ "to", "width", "height", "scheme" }]: pictures in place of checks
// Prints { "looked": n, "findings": [...] }; exit 1 if it could not look.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.FORTHRIGHT_BROWSER, 'package.json'));
const { chromium } = require('playwright-core');
const { AxeBuilder } = require('@axe-core/playwright');

const jobs = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const browser = await chromium.launch({
  executablePath: process.env.FORTHRIGHT_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
const findings = [];
let looked = 0;

// One context for letters and one for pages at each width and in each scheme: opening one takes longer than looking.
const contexts = new Map();
async function context(job, width, scheme) {
  const key = `${job.file === undefined} ${width} ${scheme}`;
  if (!contexts.has(key)) {
    contexts.set(key, await browser.newContext({
      viewport: { width, height: 800 }, colorScheme: scheme, offline: job.file !== undefined, bypassCSP: job.url !== undefined,
    }));
  }
  return contexts.get(key);
}

// A page as it is shown; calls `then` with it and closes it.
async function show(job, width, scheme, change, then) {
  const page = await (await context(job, width, scheme)).newPage();
  const asked = [];
  if (job.locale) await page.setExtraHTTPHeaders({ 'accept-language': job.locale });
  const own = job.url && new URL(job.url).origin;
  await page.route('**/*', (route) => {
    const url = route.request().url();
    if (own && new URL(url).origin === own) return route.continue();
    asked.push(url);
    return route.abort();
  });
  if (job.file) await page.setContent(change(readFileSync(job.file, 'utf8')), { waitUntil: 'load' });
  else await page.goto(job.url, { waitUntil: 'load' });
  await then(page, asked);
  await page.close();
}

async function check(job, width, scheme, state, change) {
  const where = `${job.name} ${width} ${scheme}${state}`;
  await show(job, width, scheme, change, async (page, asked) => {
    const seen = await page.evaluate(() => ({
      wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      // What sticks out is named, unless a part around it scrolls by itself.
      out: [...document.body.querySelectorAll('*')].filter((it) => it.getBoundingClientRect().right > innerWidth + 1
        && !it.closest('.wide')).slice(0, 3).map((it) => `${it.tagName} ${it.textContent.slice(0, 40)}`),
      scripts: document.scripts.length,
      loads: document.querySelectorAll('img, picture, video, audio, iframe, object, embed, svg').length,
      text: document.body.innerText.length,
    }));
    if (seen.wide > 0 || seen.out.length > 0) findings.push(`${where}: ${seen.wide} px too wide: ${seen.out.join('; ')}`);
    if (seen.scripts + seen.loads > 0) findings.push(`${where}: ${seen.scripts} scripts, ${seen.loads} pictures or frames`);
    if (seen.text < (job.least ?? 500)) findings.push(`${where}: only ${seen.text} characters can be seen`);
    const { violations } = await new AxeBuilder({ page }).setLegacyMode().disableRules(job.without ?? []).analyze();
    for (const found of violations) {
      findings.push(`${where}: ${found.id}: ${found.help}: ${found.nodes.slice(0, 2).map((node) =>
        `${node.html.slice(0, 120)} ${node.any.map((one) => one.message).join(' ').slice(0, 200)}`).join(' | ')}`);
    }
    for (const url of asked) findings.push(`${where}: asks for ${url}`);
    looked += 1;
  });
}

try {
  for (const job of jobs.pages) {
    if (job.shot) {
      for (const shot of job.shot) {
        await show(job, shot.width, shot.scheme, (html) => html, (page) => page.screenshot({
          path: shot.to, fullPage: true, clip: { x: 0, y: 0, width: shot.width, height: shot.height },
        }));
        looked += 1;
      }
      continue;
    }
    for (const width of jobs.widths) {
      for (const scheme of ['light', 'dark']) await check(job, width, scheme, '', (html) => html);
    }
    if (job.bare) {
      await check(job, jobs.widths[0], 'light', ' without stylesheet',
        (html) => html.replace(/<style>[\s\S]*<\/style>/, ''));
    }
  }
} finally {
  await browser.close();
}
console.log(JSON.stringify({ looked, findings }));
