// Every page, on a laptop and on a phone, in light and in dark.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { PAGES, launch, none, open, serve, watch } from './book.js';

const AXE = readFileSync(
    createRequire(import.meta.url).resolve('axe-core/axe.min.js'),
    'utf8',
);
const TAGS = [
    'wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice',
];
const SETTINGS = [
    { width: 1280, height: 800, colorScheme: 'light' },
    { width: 1280, height: 800, colorScheme: 'dark' },
    { width: 390, height: 844, colorScheme: 'light' },
    { width: 390, height: 844, colorScheme: 'dark' },
];
/** What a reader finds at an address that there is not. */
const LOST = 'no/such/page.html';

let browser, server;
before(async () => {
    [browser, server] = await Promise.all([launch(), serve()]);
});
after(async () => {
    await browser?.close();
    await server?.close();
});

/** What each page links to, and what can be linked to in it. */
const links = new Map();
const anchors = new Map();
const titles = new Map();
/** What a theme makes of the page's colours, by `prefers-color-scheme`. */
const themes = new Map();

for (const setting of SETTINGS) {
    const { width, height, colorScheme } = setting;
    const name = `${width} px, ${colorScheme}`;
    describe(name, () => {
        let context, page, faults;
        before(async () => {
            context = await browser.newContext({
                viewport: { width, height },
                colorScheme,
                // What fades in has no contrast yet.
                reducedMotion: 'reduce',
            });
            page = await context.newPage();
            watch(page, { push: fault => faults.push(fault) });
        });
        after(() => context?.close());

        for (const path of ['', ...PAGES, LOST]) {
            test(`${path || '/'} at ${name}`, async () => {
                faults = [];
                await open(page, `${server.url}/${path}`);
                await page.evaluate(unfold);
                faults.push(...await page.evaluate(look, { width }));
                faults.push(...await axe(page, colorScheme));
                if (setting === SETTINGS[0]) {
                    const found = await page.evaluate(read);
                    links.set(path, found.links);
                    anchors.set(path, new Set(found.anchors));
                    titles.set(path, found);
                }
                const seen = themes.get(path) ?? new Map();
                const colour = await page.evaluate(theme);
                themes.set(path, seen.set(colorScheme, colour));
                none(faults.map(fault => `/${path}: ${fault}`));
            });
        }
    });
}

test('dark is not light', () => {
    const faults = [];
    for (const [path, seen] of themes) {
        const [light, dark] = [seen.get('light'), seen.get('dark')];
        if (light.name === dark.name) {
            faults.push(`/${path}: is ${light.name} in both`);
        }
        if (light.luminance < 0.7 || dark.luminance > 0.3) {
            faults.push(`/${path}: ${light.colour} and ${dark.colour}`);
        }
    }
    none(faults);
});

test('titles and descriptions', () => {
    const faults = [];
    const pages = new Map();
    for (const [path, { title, description }] of titles) {
        if (!title.trim()) faults.push(`/${path}: no <title>`);
        if (!description?.trim()) faults.push(`/${path}: no description`);
        // The book opens with its first page.
        if (path === '') continue;
        if (pages.has(title)) {
            faults.push(`/${path}: "${title}", as /${pages.get(title)}`);
        }
        pages.set(title, path);
    }
    none(faults);
});

test('every link within the book leads somewhere', async () => {
    const faults = new Set();
    for (const [path, found] of links) {
        for (const { href, text } of found) {
            const url = new URL(href);
            if (url.origin !== server.url) continue;
            const target = url.pathname.slice(1);
            const fragment = decodeURIComponent(url.hash.slice(1));
            const fault = `/${path}: a[href="${href}"] "${text}"`;
            const ids = anchors.get(target);
            if (ids) {
                if (fragment && !ids.has(fragment)) {
                    faults.add(`${fault}: nothing has this id`);
                }
                continue;
            }
            const response = await fetch(url);
            await response.arrayBuffer();
            if (!response.ok) faults.add(`${fault}: ${response.status}`);
            if (fragment) faults.add(`${fault}: not a page of the book`);
        }
    }
    none([...faults]);
});

test('the book on one page', async () => {
    // Too large for axe; what it consists of has been looked at above.
    const page = await browser.newPage();
    const faults = [];
    watch(page, faults);
    // It opens the printer's dialogue, which has nobody to close it.
    await page.addInitScript(() => {
        window.print = () => {};
    });
    await open(page, `${server.url}/print.html`);
    const found = await page.evaluate(read);
    const ids = new Set(found.anchors);
    for (const { href, text } of found.links) {
        const url = new URL(href);
        const fragment = decodeURIComponent(url.hash.slice(1));
        if (url.pathname === '/print.html' && fragment && !ids.has(fragment)) {
            faults.push(`a[href="${url.hash}"] "${text}": nothing has this id`);
        }
    }
    await page.close();
    none(faults);
});

async function axe(page, colorScheme) {
    await page.evaluate(AXE);
    // Dark and light differ in nothing but colours.
    const runOnly = colorScheme === 'light'
        ? { type: 'tag', values: TAGS }
        : { type: 'rule', values: ['color-contrast', 'link-in-text-block'] };
    return page.evaluate(async runOnly => {
        const { violations } = await window.axe.run(document, {
            runOnly,
            resultTypes: ['violations'],
        });
        return violations.flatMap(({ id, nodes }) => nodes.map(
            ({ target, any, all, none }) => {
                const why = [...any, ...all, ...none].map(c => c.message);
                return `${target.flat().join(' ')}: ${id}: ${why.join('; ')}`;
            },
        ));
    }, runOnly);
}

// What follows runs in the browser.

/** Shows what a reader would have to open. */
function unfold() {
    for (const details of document.querySelectorAll('details')) {
        details.open = true;
    }
}

/** What a page's own text and layout have wrong. */
function look({ width }) {
    const faults = [];
    /** An element as a reader of the sources would look for it. */
    const at = element => {
        const parts = [];
        for (let e = element; e && e !== document.body; e = e.parentElement) {
            if (e.id) {
                parts.unshift(`#${e.id}`);
                break;
            }
            const same = [...e.parentElement.children]
                .filter(other => other.localName === e.localName);
            const nth = same.length > 1
                ? `:nth-of-type(${same.indexOf(e) + 1})` : '';
            parts.unshift(e.localName + nth);
        }
        return parts.join(' > ');
    };

    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth > clientWidth) {
        const widest = [...document.querySelectorAll('main *')]
            .filter(e => e.getBoundingClientRect().right > clientWidth);
        faults.push(
            `scrolls sideways: ${scrollWidth} px; ${widest.map(at)[0]}`,
        );
    }
    for (const element of document.querySelectorAll('body *')) {
        if (element.scrollWidth <= element.clientWidth) continue;
        const { overflowX } = getComputedStyle(element);
        if (!['auto', 'scroll'].includes(overflowX)) continue;
        const pre = element.closest('pre');
        if (!pre) {
            faults.push(`${at(element)}: scrolls sideways`);
            continue;
        }
        // A phone is narrower than code; so is a line over 80 columns.
        if (width < 1280) continue;
        const lines = pre.innerText.split('\n');
        if (Math.max(...lines.map(line => line.length)) <= 80) {
            faults.push(`${at(pre)}: scrolls sideways, with 80 columns`);
        }
    }

    const headings = [...document.querySelectorAll('main :is(h1,h2,h3,h4,h5,h6)')];
    const levels = headings.map(heading => Number(heading.localName[1]));
    if (levels.filter(level => level === 1).length !== 1 || levels[0] !== 1) {
        faults.push(`main: headings of the levels ${levels}, not one h1 first`);
    }
    levels.forEach((level, index) => {
        if (level > (levels[index - 1] ?? 0) + 1) {
            faults.push(`${at(headings[index])}: skips a level`);
        }
    });

    for (const img of document.querySelectorAll('img')) {
        if (!img.alt.trim()) faults.push(`${at(img)}: no alt`);
    }
    for (const svg of document.querySelectorAll('svg')) {
        const label = svg.getAttribute('aria-label')
            ?? svg.querySelector(':scope > title')?.textContent
            ?? document.getElementById(svg.getAttribute('aria-labelledby'))
                ?.textContent;
        const named = svg.getAttribute('role') === 'img' && label?.trim();
        // What a picture consists of, and what only adorns a control.
        const silent = svg.closest('[aria-hidden="true"]')
            || svg.parentElement.closest('[role=img], svg')
            || [svg.closest('a, button, label')].some(control =>
                control?.ariaLabel || control?.textContent.trim());
        if (!named && !silent && svg.checkVisibility()) {
            faults.push(`${at(svg)}: an svg without a name`);
        }
    }
    return faults;
}

function read() {
    return {
        title: document.title,
        description: document.querySelector('meta[name=description]')?.content,
        links: [...document.querySelectorAll('a[href]')]
            .map(a => ({ href: a.href, text: a.innerText.trim() })),
        anchors: [...document.querySelectorAll('[id]')].map(({ id }) => id),
    };
}

function theme() {
    const { classList } = document.documentElement;
    const colour = getComputedStyle(document.documentElement).backgroundColor;
    const canvas = new OffscreenCanvas(1, 1).getContext('2d');
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data;
    return {
        name: [...classList].find(name => /^(light|rust|coal|navy|ayu)$/.test(name)),
        colour,
        luminance: (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255,
    };
}
