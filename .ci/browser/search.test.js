// What a reader types into the search finds the page that is meant. The terms
// are the pages' own, so that a new page brings its terms along:
//
// - the keywords of its section "Keywords";
// - the first line of each message of the compiler that it shows;
// - the messages in the tables of "By symptom". One of these may also find a
//   page that its row links to.
//
// A page of the term must be among the first three hits. A keyword that several
// pages list must find all of them, among as many hits as two for each: a hit
// is a section, and a page has its keywords in one and its answer in another.

import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { after, before, test } from 'node:test';
import { PAGES, launch, none, open, serve, source } from './book.js';

const SYMPTOMS = 'reference/by-symptom.html';

/** Code between commas. Code in a sentence is a name, not a message. */
const MESSAGE = /(?:^|, (?:then )?)(`+)(.+?)\1(?=,|$)/g;

/** What a terminal puts before the messages of a section of "By symptom". */
const PREFIXES = {
    'A panic': "thread 'main' panicked at src/main.rs:5:18: ",
    'An error': 'Error: ',
};

/** A line of Markdown without its marks. */
function plain(markdown) {
    return markdown.replaceAll('`', '').replace(/\s+/g, ' ').trim();
}

/** The keywords of a page: what commas separate in its last section. */
function keywordsOf(page) {
    const [, line] = source(page).match(/\n## Keywords\n\n(.+)\n/) ?? [];
    return (line?.match(/(`[^`]*`|[^`,])+/g) ?? [])
        .map(keyword => plain(keyword).replace(/^(an?|the) /, '').toLowerCase());
}

/** The first lines of the compiler's messages on a page. */
function diagnosticsOf(page) {
    const lines = source(page).matchAll(/^```text\n((error|warning).*)/gm);
    return [...lines].map(([, line]) => plain(line));
}

/** The messages in the tables of "By symptom", each with the row's links. */
function* symptoms() {
    for (const section of source(SYMPTOMS).split('\n## ')) {
        const [heading] = section.split('\n');
        const rows = section.matchAll(/^\| (.+) \| .+ \| (.+) \|$/gm);
        for (const [, symptom, then] of rows) {
            const links = [...then.matchAll(/\]\(([^)#]+)/g)].map(
                ([, link]) => posix.join(SYMPTOMS, '..', link)
                    .replace(/md$/, 'html'),
            );
            for (const [, , code] of symptom.matchAll(MESSAGE)) {
                const message = plain(code);
                const pasted = (PREFIXES[heading] ?? '') + message;
                yield [message, links];
                yield [pasted, links];
            }
        }
    }
}

/** Adds pages to those that a term belongs to. */
function add(terms, term, ...pages) {
    terms.set(term, new Set([...terms.get(term) ?? [], ...pages]));
}

const keywords = new Map();
const messages = new Map();
for (const page of PAGES) {
    for (const keyword of keywordsOf(page)) add(keywords, keyword, page);
    for (const line of diagnosticsOf(page)) add(messages, line, page);
}
for (const [message, links] of symptoms()) {
    add(messages, message, SYMPTOMS, ...links);
}

let browser, server, page;
before(async () => {
    [browser, server] = await Promise.all([launch(), serve()]);
    page = await browser.newPage();
    await open(page, server.url);
    await page.keyboard.press('/');
    await page.locator('#mdbook-searchbar-outer.searching')
        .waitFor({ state: 'detached' });
});
after(async () => {
    await browser?.close();
    await server?.close();
});

/** The sections that the page lists for a term. */
function hits(term) {
    return page.evaluate(term => {
        const bar = document.getElementById('mdbook-searchbar');
        bar.value = term;
        // The search answers to keys, not to a changed text.
        bar.dispatchEvent(new KeyboardEvent('keyup'));
        const links = document.querySelectorAll('#mdbook-searchresults a');
        return [...links].map(
            ({ pathname, hash }) => pathname.slice(1) + hash,
        );
    }, term);
}

/** The pages of the sections that are listed for a term. */
async function pagesFor(term) {
    return (await hits(term)).map(hit => hit.split('#')[0]);
}

/** Fails unless one of some pages is among the first three found. */
function assertOne(pages, found, help) {
    const first = found.slice(0, 3);
    assert.ok(
        first.some(page => pages.has(page)),
        `finds ${first.join(', ') || 'nothing'}, `
            + `not ${[...pages].join(' or ')}\nhelp: ${help}`,
    );
}

for (const [keyword, pages] of keywords) {
    test(`search finds a keyword: ${keyword}`, async () => {
        const help = 'choose a rarer word, or use it more often on its page';
        const found = await pagesFor(keyword);
        assertOne(pages, found, help);
        const first = found.slice(0, Math.max(3, 2 * pages.size));
        for (const page of pages) {
            assert.ok(
                first.includes(page),
                `finds ${first.join(', ')}, not ${page}\nhelp: ${help}`,
            );
        }
    });
}

for (const [message, pages] of messages) {
    test(`search finds a message: ${message}`, async () => {
        const help = 'add it to the keywords of one of these pages';
        assertOne(pages, await pagesFor(message), help);
    });
}

test('no source of terms has run dry', () => {
    // The search has a list of its own for the names of the dictionary.
    const recipes = PAGES.filter(page => /\/(?!index)/.test(page))
        .filter(page => !/^dictionary = /m.test(source(page)));
    const silent = recipes.filter(page => keywordsOf(page).length === 0);
    assert.deepEqual(silent, [], 'no keywords');
    assert.notEqual(recipes.flatMap(diagnosticsOf).length, 0);
    assert.notEqual([...symptoms()].length, 0);
});

test('search finds each name of the dictionary', async () => {
    // Not the book's sections: the list above them.
    const faults = await page.evaluate(async () => {
        const bar = document.getElementById('mdbook-searchbar');
        const list = document.getElementById('names');
        const type = text => {
            bar.value = text;
            bar.dispatchEvent(new Event('input'));
        };
        const script = () => window.cookbookDictionary;
        type('asyncio.gather');
        while (!script() || !list.children.length) {
            await new Promise(resolve => setTimeout(resolve, 20));
        }
        const { rows, sections } = script();
        const faults = [];
        for (const [at, names] of rows) {
            const [, , section] = sections[at];
            const plain = names.filter(name => !/[<*]/.test(name));
            for (const name of plain.filter(name => name.length > 2)) {
                type(name);
                await null;
                await null;
                const links = [...list.querySelectorAll('a')];
                const found = links.map(link => link.pathname + link.hash);
                if (!found.includes(`/${section}`)) {
                    faults.push(`${name}: ${found.join(', ') || 'nothing'}`);
                }
            }
        }
        return faults;
    });
    none(faults);
});

test('search finds nothing for nonsense', async () => {
    assert.deepEqual(await hits('qwxzvb'), []);
});

test('a hit opens where it was found', async () => {
    await page.locator('#mdbook-searchbar').fill('');
    await page.keyboard.type('there is no reactor running');
    const hit = page.locator('#mdbook-searchresults a').first();
    const { hash } = new URL(await hit.evaluate(link => link.href));
    await hit.click();
    await page.waitForURL(url => url.hash === hash);
    await page.locator(`${hash}:target`).waitFor();
    await page.locator('main mark').first().waitFor({ state: 'attached' });
});

test('a name leads to its row', async () => {
    // The test above has left the page of the search.
    await page.keyboard.press('/');
    await page.locator('#mdbook-searchbar').fill('');
    await page.keyboard.type('asyncio.create_task');
    const hit = page.locator('#names a').first();
    assert.match(await hit.textContent(), /asyncio\.create_task → tokio::spawn/);
    const { hash } = new URL(await hit.evaluate(link => link.href));
    await hit.click();
    await page.waitForURL(url => url.hash === hash);
    const mark = page.locator('main mark', { hasText: 'asyncio.create_task' });
    await mark.first().waitFor({ state: 'attached' });
});
