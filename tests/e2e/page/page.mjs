// SPDX-License-Identifier: ISC
//
// Drives a real Chromium over the pages, as a person would: types, drops, clicks, uses the keyboard.
//
//   usage: node page.mjs URL CHROMIUM BOUNCE [SHOTS]      TAP on standard output
//
// BOUNCE is a file that is dropped; SHOTS a folder for pictures.
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {basename, join} from 'node:path';
import {chromium} from 'playwright-core';

const [url, executablePath, bounce, shots] = process.argv.slice(2);
const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const reply = '550-5.1.1 The email account that you tried to reach does not exist. Please try\n' +
  '550-5.1.1 double-checking the recipient’s email address for typos or\n' +
  '550-5.1.1 unnecessary spaces. Learn more at\n550 5.1.1 o19si5072179wiv.42 – gsmtp';
const timedOut = 'The recipient server did not accept our requests to connect. Learn more at ' +
  '[ 2606:2800:220:1:248:1893:25c8:1946: timed out] [ timed out]';
const tests = [];
const test = (name, run) => tests.push({name, run});
const right = (value, words) => { if (!value) throw new Error(words); };
const equal = (got, want, words) => right(got === want, `${words}: got ${got}, want ${want}`);

// A page of its own; what it asks for and what goes wrong in it is remembered.
async function open(browser, settings, path = '') {
  const context = await browser.newContext({locale: 'en-GB', ...settings});
  const page = await context.newPage();
  page.asked = [];
  page.flaws = [];
  page.on('request', request => page.asked.push(request.url()));
  page.on('pageerror', error => page.flaws.push(String(error)));
  page.on('console', line => line.type() === 'error' && page.flaws.push(line.text()));
  await page.goto(url + path);
  return page;
}

async function explain(page, text) {
  await page.fill('#text', text);
  await Promise.all([page.waitForNavigation(), page.click('button')]);
}

async function shoot(page, name) {
  if (shots)
    await page.screenshot({path: join(shots, name + '.png'), fullPage: true});
}

// Nothing sticks out at the side, and nobody else was asked for anything.
async function sound(page) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  right(wide <= 0, `it is ${wide} pixels too wide`);
  equal(page.flaws.join('; '), '', 'flaws');
  for (const one of page.asked)
    right(one.startsWith(url) || one.startsWith('data:'), `asked for ${one}`);
}

test('a pasted reply becomes a card', async browser => {
  const page = await open(browser);
  await shoot(page, 'page');
  await explain(page, reply);
  equal(await page.textContent('.card h2'), 'Address not found: there is no such mailbox', 'headline');
  right((await page.textContent('.card')).includes('Compare the part before the @'), 'what to do');
  await page.click('.card details summary');
  right(await page.isVisible('.card samp'), 'the details open');
  await shoot(page, 'address-not-found');
  await page.click('.card a[href="/codes/5.1.1"]');
  right((await page.title()).startsWith('5.1.1: '), 'the code leads to its page');
  await shoot(page, 'code');
  await sound(page);
});

// The replies that a page of 2014 quoted as what nobody understands.
test('what people saw is told without a technical word', async browser => {
  const seen = [['callout', '550-Callout verification failed:\n550 550 No such user', 'verified'],
    ['relay', '550 relay not permitted!', 'not allowed to send this way'],
    ['rejected', '550 #5.1.0 Address rejected.', 'Address not found'],
    ['psmtp', '550 No such user \u2013 psmtp', 'no such mailbox'],
    ['domain', 'DNS Error: Domain name not found', 'cannot receive mail'],
    ['gsmtp', reply, 'no such mailbox'], ['time-out', timedOut, 'could not be reached']];
  const page = await open(browser, {viewport: {width: 640, height: 700}});
  for (const [name, text, wanted] of seen) {
    await page.goto(url);
    await explain(page, text);
    const headline = await page.textContent('.card h2');
    right(headline.includes(wanted), `${name}: ${headline}`);
    if (shots)
      await page.locator('.card').screenshot({path: join(shots, `seen-${name}.png`)});
  }
  await sound(page);
});

test('it works without a script', async browser => {
  const page = await open(browser, {javaScriptEnabled: false});
  await explain(page, '452 4.2.2 mailbox full');
  right((await page.textContent('.card h2')).includes('mailbox is full'), 'pasted');
  await page.goto(url);
  await page.setInputFiles('#file', bounce);
  await Promise.all([page.waitForNavigation(), page.click('button')]);
  right((await page.textContent('.card h2')).startsWith('Address not found'), 'a file');
});

test('a dropped file and a dropped text are explained', async browser => {
  const drop = (page, text, name) => page.evaluate(([words, file]) => {
    const data = new DataTransfer();
    if (file)
      data.items.add(new File([words], file));
    else
      data.setData('text', words);
    dispatchEvent(new DragEvent('dragover', {dataTransfer: data, cancelable: true}));
    dispatchEvent(new DragEvent('drop', {dataTransfer: data, cancelable: true}));
  }, [text, name]);
  const page = await open(browser);
  await Promise.all([page.waitForNavigation(),
    drop(page, readFileSync(bounce, 'utf8'), basename(bounce))]);
  right((await page.textContent('.card h2')).startsWith('Address not found'), 'a file');
  await Promise.all([page.waitForNavigation(), drop(page, '550 relay not permitted!', '')]);
  right((await page.textContent('.card h2')).includes('not allowed to send'), 'a text');
  await sound(page);
});

test('no other script may run', async browser => {
  const page = await open(browser);
  const policy = (await page.request.get(url)).headers()['content-security-policy'];
  const script = await page.evaluate(() => document.querySelector('script').textContent);
  const hash = createHash('sha256').update(script).digest('base64');
  right(policy.includes(`script-src 'sha256-${hash}'`), `the policy names its script: ${hash}`);
  await explain(page, '550 5.7.1 <script>document.title="x"</script><img src=x onerror=alert(1)>');
  right((await page.title()).includes('Postern'), 'a foreign script does not run');
  equal(await page.locator('.card img, .card script').count(), 0, 'nor is it an element');
  await page.evaluate(() => {
    const one = document.createElement('script');
    one.textContent = 'document.title = "y"';
    document.body.append(one);
  });
  right((await page.title()).includes('Postern'), 'nor one that is put in');
});

test('each language says it, and fits a narrow screen', async browser => {
  const titles = new Set();
  for (const lang of ['en', 'de', 'fr', 'es', 'pt', 'it', 'nl', 'pl', 'ru', 'ja', 'zh']) {
    const page = await open(browser, {viewport: {width: 360, height: 740}}, `?lang=${lang}`);
    await explain(page, '554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using ' +
      'zen.spamhaus.org; ' + 'x'.repeat(300));
    equal(await page.getAttribute('html', 'lang'), lang, 'lang of the page');
    equal(await page.getAttribute('article', 'lang'), lang, 'lang of the card');
    titles.add(await page.textContent('.card h2'));
    await page.click('.card details summary');
    await sound(page);
    await shoot(page, `narrow-${lang}`);
    await page.context().close();
  }
  equal(titles.size, 11, 'each in its own words');
});

test('the language of the browser is spoken', async browser => {
  const page = await open(browser, {locale: 'de-AT'});
  equal(await page.textContent('button'), 'Erklären', 'the page');
  await explain(page, '552 5.2.2 mailbox full');
  right((await page.textContent('.card h2')).includes('Das Postfach des Empfängers ist voll'), 'card');
});

// WCAG 2, 1.4.3: 4.5 to 1 for every text against what lies behind it.
const contrast = () => {
  const parse = text => (text.match(/[\d.]+/g) || []).map(Number);
  const light = text => parse(text).slice(0, 3).map(v => v / 255).map(
    v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = at => {
    for (; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0)
        return getComputedStyle(at).backgroundColor;
    }
    return matchMedia('(prefers-color-scheme: dark)').matches ? 'rgb(0,0,0)' : 'rgb(255,255,255)';
  };
  const poor = [];
  for (const at of document.querySelectorAll('body *')) {
    const own = [...at.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || at.matches('script, style'))
      continue;
    const [a, b] = [light(getComputedStyle(at).color), light(behind(at))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5)
      poor.push(`${at.tagName}.${at.className} "${at.textContent.slice(0, 30)}"`);
  }
  return poor.join('; ');
};

test('it is readable in light and dark', async browser => {
  for (const colorScheme of ['light', 'dark'])
    for (const [name, text] of [['address', '550 5.1.1 no such user'], ['blocked', '554 5.7.1 spam'],
      ['undelivered', '552 5.2.2 full'], ['code', '']]) {
      const page = await open(browser, {colorScheme}, text ? '' : 'codes/5.7.7');
      if (text)
        await explain(page, text);
      equal(await page.evaluate(contrast), '', `${colorScheme} ${name}`);
      await shoot(page, `${colorScheme}-${name}`);
      await page.context().close();
    }
});

test('a screen reader and the keyboard find their way', async browser => {
  const page = await open(browser);
  await explain(page, reply);
  const flaws = await page.evaluate(() => {
    const said = [];
    const levels = [...document.querySelectorAll('h1,h2,h3')].map(h => Number(h.tagName[1]));
    if (levels[0] !== 1 || levels.some((level, i) => i > 0 && level > levels[i - 1] + 1))
      said.push(`headings ${levels}`);
    for (const input of document.querySelectorAll('textarea, input'))
      if (!input.labels.length)
        said.push(`${input.id} has no label`);
    for (const one of document.querySelectorAll('svg'))
      if (one.getAttribute('aria-hidden') !== 'true')
        said.push('an icon without words is read');
    const label = document.querySelector('article').getAttribute('aria-labelledby');
    if (!document.getElementById(label))
      said.push('the card has no name');
    if (document.querySelectorAll('main').length !== 1)
      said.push('main');
    const ids = [...document.querySelectorAll('[id]')].map(one => one.id);
    if (new Set(ids).size !== ids.length)
      said.push('an id stands twice');
    return said.join('; ');
  });
  equal(flaws, '', 'flaws');
  await page.focus('#text');
  await page.keyboard.type('550 5.1.1 no such user');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  equal(await page.evaluate(() => document.activeElement.tagName), 'BUTTON', 'by Tab');
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  right(await page.isVisible('.card'), 'by Enter');
});

test('every code has a page, found from the index', async browser => {
  const page = await open(browser, {}, 'codes');
  await shoot(page, 'codes');
  const links = await page.evaluate(() => [...document.querySelectorAll('main a')].map(a => a.href));
  right(links.length > 130, `${links.length} links`);
  for (const link of links)
    equal((await page.request.get(link)).status(), 200, link);
  equal((await page.request.get(url + 'codes/hello')).status(), 404, 'what is no code');
});

// launch makes a fresh folder for the user's data, and takes it away.
const browser = await chromium.launch({executablePath, args: flags});
console.log(`1..${tests.length}`);
let failed = 0;
for (const [i, {name, run}] of tests.entries()) {
  let flaw = '';
  try {
    await run(browser);
  } catch (error) {
    flaw = error.stack || String(error);
  }
  failed += flaw !== '';
  console.log(`${flaw ? 'not ok' : 'ok'} ${i + 1} - ${name}`);
  flaw && console.log('# ' + flaw.replaceAll('\n', '\n# '));
}
await browser.close();
process.exit(failed ? 1 : 0);
