// What a reader does with a page: choose, compare, copy, run.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync }
    from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { PAGES, cookbook, launch, none, open, root, serve, watch }
    from './book.js';

const PAGE = 'core-patterns/run-many.html';
const OTHER = 'advanced-patterns/queue.html';
const LAPTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

const folder = mkdtempSync(join(tmpdir(), 'cookbook-browser-'));
let browser, server;
before(async () => {
    [browser, server] = await Promise.all([launch(), serve()]);
});
after(async () => {
    await browser?.close();
    await server?.close();
    rmSync(folder, { recursive: true });
});

/** A page in a profile of its own; what goes wrong in it fails the test. */
async function reader(t, options, path) {
    const context = await browser.newContext({
        reducedMotion: 'reduce', ...options,
    });
    t.after(() => context.close());
    const page = await context.newPage();
    const faults = [];
    watch(page, faults);
    t.after(() => none(faults));
    if (path !== undefined) await open(page, `${server.url}/${path}`);
    return page;
}

/** The source of a page, and what its blocks of a language include. */
function source(path) {
    const file = path.replace(/index\.html$/, 'README.html')
        .replace(/html$/, 'md');
    return readFileSync(`${root}/book/${file}`, 'utf8');
}

/** The programs that a page shows, whole, as their files have them. */
function programs(path) {
    const fences = source(path).matchAll(/^```rust.*\n([^]*?)^```/gm);
    return [...fences].map(([, body]) => {
        const include = body.match(/^\{\{#(?:rustdoc_)?include ([^:}]+)/);
        if (!include) return body;
        const file = join(root, 'book', dirname(path), include[1]);
        return readFileSync(file, 'utf8').split('\n')
            .filter(line => !/^\s*\/\/ ANCHOR/.test(line)).join('\n');
    });
}

// ---- Python and Rust ------------------------------------------------------

describe('tabs', () => {
    const shown = page => page.locator('[role=tabpanel]').evaluateAll(
        panels => panels.filter(panel => panel.checkVisibility())
            .map(panel => panel.querySelector('h2').innerText),
    );
    const chosen = page =>
        page.getByRole('tab', { selected: true }).allInnerTexts();

    test('by keyboard, and remembered', async t => {
        const page = await reader(t, { viewport: PHONE }, PAGE);
        await page.getByRole('tab', { name: 'Python' }).click();
        assert.deepEqual(await shown(page), ['In Python']);

        const address = page.url();
        await page.keyboard.press('ArrowRight');
        assert.deepEqual(await chosen(page), ['Rust']);
        assert.deepEqual(await shown(page), ['In Rust']);
        const focused = page.locator('[role=tab]:focus');
        assert.equal(await focused.innerText(), 'Rust');
        await page.keyboard.press('End');
        assert.deepEqual(await shown(page), ['In Python', 'In Rust']);
        await page.keyboard.press('ArrowRight');
        assert.deepEqual(await chosen(page), ['Python'], 'the last is followed by the first');
        await page.keyboard.press('ArrowLeft');
        await page.keyboard.press('Home');
        assert.deepEqual(await shown(page), ['In Python']);
        assert.equal(page.url(), address, 'the arrows do not turn the page');

        await page.reload();
        assert.deepEqual(await shown(page), ['In Python']);
        await open(page, `${server.url}/${OTHER}`);
        assert.deepEqual(await shown(page), ['In Python']);
        // One tab is in the order of the Tab key, and leads to its panel.
        const tabs = page.locator('[role=tab]');
        const order = await tabs.evaluateAll(all => all.map(tab => tab.tabIndex));
        assert.deepEqual(order.toSorted(), [-1, -1, 0]);
    });

    test('a link into the other panel opens it', async t => {
        const page = await reader(t, { viewport: PHONE }, PAGE);
        await page.getByRole('tab', { name: 'Python' }).click();
        await open(page, `${server.url}/${PAGE}#in-rust`);
        assert.ok((await shown(page)).includes('In Rust'));
    });

    test('every page that has both', async t => {
        const page = await reader(t, { viewport: PHONE });
        const faults = [];
        for (const path of PAGES) {
            const text = source(path);
            const both = ['In Python', 'In Rust']
                .every(heading => text.includes(`\n## ${heading}\n`));
            await open(page, `${server.url}/${path}`);
            const tabs = await page.getByRole('tab').count();
            if (both !== tabs > 0) faults.push(`/${path}: ${tabs} tabs`);
        }
        none(faults);
    });

    test('both are shown without JavaScript', async t => {
        const page = await reader(
            t, { viewport: PHONE, javaScriptEnabled: false }, PAGE,
        );
        for (const name of ['In Python', 'In Rust']) {
            const heading = page.getByRole('heading', { name, exact: true });
            assert.ok(await heading.isVisible(), name);
        }
        for (const language of ['python', 'rust']) {
            const code = page.locator(`code.language-${language}`).first();
            assert.ok(await code.isVisible(), language);
        }
        assert.equal(await page.getByRole('tab').count(), 0);
    });
});

test('a part is marked on both sides', async t => {
    const page = await reader(t, { viewport: LAPTOP });
    const faults = [];
    let parts = 0;
    for (const path of PAGES) {
        await open(page, `${server.url}/${path}`);
        const expected = await page.evaluate(
            path => window.cookbookParts?.[path]?.length ?? 0, path,
        );
        const buttons = page.locator('.parts button');
        const count = await buttons.count();
        if (count !== 2 * expected) {
            faults.push(`/${path}: ${count} buttons for ${expected} parts`);
        }
        for (let index = 0; index < count; index += 1) {
            parts += 1;
            await buttons.nth(index).press('Enter');
            const marked = await page.locator('.band.on button').allInnerTexts();
            const number = `${index % expected + 1}`;
            if (marked.join() !== `${number},${number}`) {
                faults.push(`/${path}: ${number} marks ${marked}`);
            }
            const there = await page.locator('.parts button:focus')
                .evaluate(b => [...document.querySelectorAll('.parts button')].indexOf(b));
            if (there !== (index + expected) % count) {
                faults.push(`/${path}: ${number} does not lead across`);
            }
        }
    }
    none(faults);
    assert.ok(parts > 0, 'no page has parts');
});

// ---- Copy ------------------------------------------------------------------

const copying = {
    viewport: LAPTOP, permissions: ['clipboard-read', 'clipboard-write'],
};

/** Presses a button; what is on the clipboard then. */
async function copied(page, button) {
    await page.evaluate(() => navigator.clipboard.writeText(''));
    await button.click();
    await page.waitForFunction(() => navigator.clipboard.readText());
    return page.evaluate(() => navigator.clipboard.readText());
}

/** What the copy buttons of all blocks of a language give. */
async function allCopied(page, language) {
    await page.evaluate(() => {
        for (const details of document.querySelectorAll('details')) {
            details.open = true;
        }
    });
    const blocks = page.locator(`main pre:has(> code.language-${language})`);
    const texts = [];
    for (let index = 0; index < await blocks.count(); index += 1) {
        const button = blocks.nth(index).getByRole('button', { name: /^Copy/ });
        texts.push(await copied(page, button));
    }
    return texts;
}

describe('what the copy button gives', () => {
    for (const path of PAGES) {
        const wanted = programs(path);
        if (!wanted.length) continue;
        test(`the whole of every program on ${path}`, async t => {
            const page = await reader(t, copying, path);
            const given = await allCopied(page, 'rust');
            assert.equal(given.length, wanted.length, 'a block, a button');
            given.forEach((text, index) => {
                assert.equal(text.trim(), wanted[index].trim(),
                    `${path}: pre:has(> code.language-rust), number ${index + 1}`);
            });
        });
    }

    const chapters = new Map(PAGES.filter(path =>
        programs(path).length && /^```toml$/m.test(source(path)))
        .map(path => [dirname(path), path]));
    for (const path of chapters.values()) {
        test(`${path}: compiles with the dependencies copied there`, async t => {
            const page = await reader(t, copying, path);
            const [dependencies] = await allCopied(page, 'toml');
            const given = await allCopied(page, 'rust');
            // The first is the page's program. Those that the compiler is to
            // refuse come later.
            const [program] = given;
            const project = join(folder, dirname(path).replaceAll('.', 'top'));
            const kind = program.includes('fn main') ? '--bin' : '--lib';
            execFileSync('cargo', ['new', '--quiet', '--vcs', 'none', kind,
                '--name', 'copied', project]);
            const manifest = `${project}/Cargo.toml`;
            const empty = readFileSync(manifest, 'utf8');
            assert.ok(empty.endsWith('[dependencies]\n'));
            writeFileSync(manifest,
                empty.replace('[dependencies]\n', dependencies));
            const file = kind === '--bin' ? 'main' : 'lib';
            writeFileSync(`${project}/src/${file}.rs`, program);
            cargo(project, 'check', '--quiet', '--offline', '--all-targets');
        });
    }
});

/** Runs cargo in a project, with what `.ci/run` has built. */
function cargo(cwd, ...args) {
    return execFileSync('cargo', args, { cwd, env: alone(), encoding: 'utf8' });
}

function alone() {
    return {
        ...process.env,
        CARGO_TARGET_DIR: `${root}/target/alone/target`,
        CARGO_NET_OFFLINE: 'true',
    };
}

test('a new project by the three commands', async t => {
    const page = await reader(t, copying, PAGE);
    await page.getByRole('button', { name: /^New project/ }).first().click();
    const dialog = page.getByRole('dialog');
    const commands = await copied(
        page, dialog.getByRole('button', { name: /all three/ }),
    );
    assert.equal(await dialog.locator('pre').count(), 3);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });

    const cwd = mkdtempSync(join(folder, 'new-'));
    const printed = execFileSync('bash', ['-e'], {
        cwd, env: alone(), input: commands, encoding: 'utf8',
    });
    assert.equal(printed, output('core-patterns/run_many'));
});

// ---- Run -------------------------------------------------------------------

/** What a program prints, as the book has it. */
function output(name) {
    return readFileSync(`${root}/snippets/${name}.out`, 'utf8');
}

describe('run', () => {
    /** The button of a program, what it prints, and how it stands. */
    function program(page, name) {
        const block = page.locator('pre', { hasText: `--example ${name}\n` });
        const place = block.locator('+ .run');
        return {
            button: block.getByRole('button', { name: /^(Run|Stop)/ }),
            log: place.getByRole('log'),
            status: place.getByRole('status'),
        };
    }

    // cargo may have to build it.
    const timeout = 300_000;

    for (const [path, file] of [
        [PAGE, 'core-patterns/run_many'],
        [OTHER, 'advanced-patterns/queue'],
    ]) {
        const name = file.split('/')[1];
        test(`${name} prints, and ends`, { timeout }, async t => {
            const page = await reader(t, { viewport: LAPTOP }, path);
            const { button, log, status } = program(page, name);
            await button.click();
            await status.filter({ hasText: /^Exit status 0 after [\d.]+ s$/ })
                .waitFor({ timeout });
            assert.equal(await log.innerText(), output(file).trimEnd());
            assert.match(await button.innerText(), /^Run/);
        });
    }

    test('every runnable program has a button', async t => {
        const page = await reader(t, { viewport: LAPTOP });
        const faults = [];
        for (const path of PAGES) {
            const text = source(path);
            const wanted = text.match(/^\$ cargo run --example/gm) ?? [];
            await open(page, `${server.url}/${path}`);
            const buttons = page.locator('main pre .buttons button', { hasText: /^Run$/ });
            const count = await buttons.count();
            if (count !== wanted.length) {
                faults.push(`/${path}: ${count} of ${wanted.length}`);
            }
        }
        none(faults);
    });

    test('Stop ends it', { timeout }, async t => {
        const page = await reader(t, { viewport: LAPTOP }, PAGE);
        const { button, status } = program(page, 'run_many');
        // While another holds cargo's lock, the program is being built.
        const lock = spawn('flock', [
            `${root}/target/debug/.cargo-lock`, 'sh', '-c', 'echo; cat',
        ]);
        t.after(() => lock.kill());
        await once(lock.stdout, 'data');
        // More often than the server has places: Stop gives them back.
        for (let round = 0; round < 4; round += 1) {
            await button.click();
            await status.filter({ hasText: /file lock/ }).waitFor({ timeout });
            assert.match(await button.innerText(), /^Stop/);
            assert.notDeepEqual(children(server.pid), []);
            await button.click();
            await status.filter({ hasText: 'Stopped by you' }).waitFor();
            while (children(server.pid).length) {
                await page.evaluate(() => new Promise(requestAnimationFrame));
            }
        }
        lock.stdin.end();
        await once(lock, 'close');
        await button.click();
        await status.filter({ hasText: /^Exit status 0/ }).waitFor({ timeout });
    });

    test('a foreign page may not run anything', async t => {
        const foreign = await serveFolder(folder);
        t.after(() => foreign.close());
        // Not a reader of ours: what it is refused, it complains of.
        const page = await browser.newPage();
        t.after(() => page.close());
        await page.goto(foreign.url);
        const [answer] = await Promise.all([
            page.waitForResponse(`${server.url}/run/run_many`),
            page.evaluate(url => fetch(url, { method: 'POST', mode: 'no-cors' })
                .catch(() => {}), `${server.url}/run/run_many`),
        ]);
        assert.equal(answer.status(), 403);
    });
});

/** The processes that another one has started. */
function children(parent) {
    return readdirSync('/proc').filter(pid => {
        if (!/^\d+$/.test(pid)) return false;
        try {
            const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
            // After the name, which is in parentheses: state, parent.
            return stat.slice(stat.lastIndexOf(')')).split(' ')[2] === `${parent}`;
        } catch {
            return false; // it has ended meanwhile
        }
    });
}

/** Serves files, and nothing else. */
async function serveFolder(files) {
    const types = {
        '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css',
        '.svg': 'image/svg+xml',
    };
    const host = createServer((request, response) => {
        const { pathname } = new URL(request.url, 'http://127.0.0.1');
        const path = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
        let body;
        try {
            body = readFileSync(join(files, path));
        } catch {
            response.writeHead(404, { 'content-type': 'text/html' }).end();
            return;
        }
        const type = types[extname(path)] ?? 'application/octet-stream';
        response.writeHead(200, { 'content-type': type }).end(body);
    });
    host.listen(0, '127.0.0.1');
    await once(host, 'listening');
    const close = () => {
        host.closeAllConnections();
        host.close();
    };
    return { url: `http://127.0.0.1:${host.address().port}/`, close };
}

test('a static host has no Run button', async t => {
    const files = join(folder, 'site');
    cookbook('build', '--dest', files);
    const host = await serveFolder(files);
    t.after(() => host.close());
    const page = await reader(t, { viewport: LAPTOP });
    for (const path of ['', PAGE, OTHER]) {
        await open(page, host.url + path);
        assert.equal(await page.getByRole('button', { name: /^Run/ }).count(), 0);
    }
    assert.notEqual(await page.getByRole('button', { name: /^Copy/ }).count(), 0);
    assert.notEqual(await page.getByRole('tab').count(), 0);
});
