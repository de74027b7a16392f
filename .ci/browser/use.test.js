// What a reader does with a page: choose, compare, copy, run, edit.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
    copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync,
    readdirSync, rmSync, writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { PAGES, cookbook, launch, none, open, root, serve, source, watch }
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

// ---- Names -----------------------------------------------------------------

/** The first cells of the rows that a pasted text gives. */
async function pasted(page, text) {
    await page.locator('#python').fill(text);
    const cells = page.locator('main .port td:first-child');
    await cells.first().waitFor();
    return cells.allTextContents();
}

describe('the box of names', () => {
    for (const [what, text, names] of [
        ['a name', 'asyncio.gather', ['asyncio.gather']],
        [
            'imports',
            'import asyncio as aio\nfrom httpx import (\n    AsyncClient as C,\n)\n'
                + 'C()\naio.sleep(1)\naio.sleep(2)\n',
            ['asyncio.sleep', 'httpx.AsyncClient'],
        ],
        [
            'neither comments nor strings',
            '"""asyncio.run"""\n# asyncio.wait\nf = "asyncio.Lock"\n'
                + 'asyncio.Event()\n',
            ['asyncio.Event'],
        ],
        [
            'a method of a class',
            'import asyncio\nasyncio.Queue.join()\n',
            ['asyncio.Queue.join'],
        ],
    ]) {
        test(what, async t => {
            const page = await reader(t, LAPTOP, 'reference/port.html');
            assert.deepEqual(await pasted(page, text), names);
        });
    }

    test('rows have links, and text that is no name has none', async t => {
        const page = await reader(t, PHONE, 'reference/port.html');
        await pasted(page, 'asyncio.create_task(f())');
        const links = page.locator('main .port td a');
        const [rust, recipe] = await links.evaluateAll(all => {
            return [all[0].href, all.at(-1).href];
        });
        assert.match(rust, /^https:\/\/docs\.rs\/tokio\//);
        assert.match(recipe, /\/tasks\/.+\.html/);
        await page.locator('#python').fill('<img src=x onerror=alert(1)> qwx');
        await page.getByText('The dictionary has no name').waitFor();
        assert.equal(await page.locator('main .port img').count(), 0);
    });
});

// ---- Python and Rust ------------------------------------------------------

describe('tabs', () => {
    const shown = page => page.locator('[role=tabpanel]').evaluateAll(
        panels => panels.map(panel => panel.querySelector('h2'))
            .filter(heading => heading.checkVisibility())
            .map(heading => heading.innerText),
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

// ---- Every page -------------------------------------------------------------

describe('every page', () => {
    let context, page, faults, parts = 0;
    before(async () => {
        context = await browser.newContext({
            viewport: LAPTOP, reducedMotion: 'reduce',
        });
        // Faster than a clipboard, which is used below.
        await context.addInitScript(() => {
            window.copied = [];
            navigator.clipboard.writeText = async text => {
                window.copied.push(text);
            };
        });
        page = await context.newPage();
        watch(page, { push: fault => faults.push(fault) });
    });
    after(() => context?.close());

    for (const path of PAGES) {
        test(`tabs, copy, parts, Run: ${path}`, async () => {
            faults = [];
            await open(page, `${server.url}/${path}`);
            const text = source(path);

            const both = ['In Python', 'In Rust']
                .every(heading => text.includes(`\n## ${heading}\n`));
            const tabs = await page.getByRole('tab').count();
            if (both !== tabs > 0) faults.push(`${tabs} tabs`);

            const wanted = programs(path);
            const given = await page.evaluate(() => {
                const blocks = document.querySelectorAll(
                    'main pre:has(> code.language-rust)');
                for (const block of blocks) {
                    // The last: before it, one may copy the part to keep.
                    const copy = 'button[aria-label^=Copy]';
                    [...block.querySelectorAll(copy)].at(-1).click();
                }
                return window.copied;
            });
            if (given.length !== wanted.length) {
                faults.push(`${given.length} of ${wanted.length} programs copied`);
            }
            wanted.forEach((program, index) => {
                if (given[index]?.trim() === program.trim()) return;
                faults.push(`pre:has(> code.language-rust), number ${index + 1}: `
                    + `copies\n${given[index]}\nand not\n${program}`);
            });

            const runnable = text.match(/^\$ cargo run --example/gm) ?? [];
            const buttons = await page
                .locator('main pre .buttons button', { hasText: /^Run$/ })
                .count();
            if (buttons !== runnable.length) {
                faults.push(`Run ${buttons} times for ${runnable.length} programs`);
            }

            const expected = await page.evaluate(
                path => window.cookbookParts?.[path]?.length ?? 0, path);
            const marks = await page.evaluate(() => {
                const buttons = [...document.querySelectorAll('.parts button')];
                return buttons.map(button => {
                    button.click();
                    const marked = document.querySelectorAll('.band.on button');
                    return {
                        marked: [...marked].map(({ innerText }) => innerText),
                        leads: buttons.indexOf(document.activeElement),
                    };
                });
            });
            if (marks.length !== 2 * expected) {
                faults.push(`${marks.length} buttons for ${expected} parts`);
            }
            marks.forEach(({ marked, leads }, index) => {
                const number = index % expected + 1;
                if (marked.join() !== `${number},${number}`) {
                    faults.push(`.parts: ${number} marks ${marked}`);
                }
                if (leads !== (index + expected) % marks.length) {
                    faults.push(`.parts: ${number} does not lead across`);
                }
            });
            parts += expected;
            none(faults.map(fault => `/${path}: ${fault}`));
        });
    }

    test('some pages have parts', () => assert.notEqual(parts, 0));
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

/** The copy button of the first block of a language that is to compile. */
function copy(page, language) {
    const code = `code.language-${language}:not(.compile_fail)`;
    return page.locator(`main pre:has(> ${code})`).first()
        .getByRole('button', { name: /^Copy/ }).last();
}

test('the part to keep is copied without the hidden lines', async t => {
    const page = await reader(t, copying, 'time/retry.html');
    const block = page.locator('main pre:has(> code.language-rust)').first();
    const part = await copied(
        page, block.getByRole('button', { name: 'Copy the part to keep' }),
    );
    const [program] = programs('time/retry.html');
    assert.ok(program.startsWith(part.trimEnd()));
    assert.match(part, /^use std[^]*\n}\n$/);
    assert.doesNotMatch(part, /assert|fn main/);
});

test('each of several parts to keep is copied', async t => {
    const page = await reader(t, copying, 'tasks/task-group.html');
    const buttons = page.getByRole('button', { name: 'Copy the part to keep' });
    assert.equal(await buttons.count(), 2);
    const part = await copied(page, buttons.last());
    assert.match(part, /^use std[^]*struct TaskGroup[^]*\n}\n$/);
    assert.doesNotMatch(part, /assert|fn main/);
});

describe('what the copy buttons give', () => {
    const chapters = new Map(PAGES.filter(path =>
        programs(path).length && /^```toml$/m.test(source(path)))
        .map(path => [dirname(path), path]));
    for (const path of chapters.values()) {
        test(`${path}: compiles with the dependencies copied there`, async t => {
            const page = await reader(t, copying, path);
            await page.evaluate(() => {
                for (const details of document.querySelectorAll('details')) {
                    details.open = true;
                }
            });
            const [dependencies, program] = [
                await copied(page, copy(page, 'toml')),
                await copied(page, copy(page, 'rust')),
            ];
            const project = join(folder, dirname(path).replaceAll('.', 'top'));
            const kind = program.includes('fn main') ? '--bin' : '--lib';
            execFileSync('cargo', ['new', '--quiet', '--vcs', 'none', kind,
                '--name', 'copied', project]);
            // What its programs need when they are compiled.
            for (const name of ['migrations', '.sqlx']) {
                const beside = `${root}/snippets/${path.replace('.html', '')}`;
                if (existsSync(`${beside}/${name}`)) {
                    cpSync(`${beside}/${name}`, `${project}/${name}`,
                        { recursive: true });
                }
            }
            const manifest = `${project}/Cargo.toml`;
            const empty = readFileSync(manifest, 'utf8');
            assert.ok(empty.endsWith('[dependencies]\n'));
            writeFileSync(manifest,
                empty.replace('[dependencies]\n', dependencies));
            const file = kind === '--bin' ? 'main' : 'lib';
            writeFileSync(`${project}/src/${file}.rs`, program);
            // With the crates that have been built for this block already.
            copyFileSync(`${root}/Cargo.lock`, `${project}/Cargo.lock`);
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
        CARGO_PROFILE_DEV_DEBUG: '0',
        CARGO_NET_OFFLINE: 'true',
    };
}

for (const [path, name, which, steps, count] of [
    [PAGE, 'run_many', 0, 'three', 3],
    // One that needs files when it is compiled.
    ['web/migrations.html', 'migrations', 0, 'four', 4],
]) {
    test(`a new project of ${name} by its ${steps} commands`, async t => {
        const page = await reader(t, copying, path);
        const buttons = page.getByRole('button', { name: /^New project/ });
        await buttons.nth(which).click();
        const dialog = page.getByRole('dialog');
        const commands = await copied(page, dialog.getByRole('button', {
            name: new RegExp(`all ${steps}`),
        }));
        assert.equal(await dialog.locator('pre').count(), count);
        await page.keyboard.press('Escape');
        await dialog.waitFor({ state: 'detached' });

        const cwd = mkdtempSync(join(folder, 'new-'));
        const printed = execFileSync('bash', ['-e'], {
            cwd, env: alone(), input: commands, encoding: 'utf8',
        });
        // Before the program's output, the files that were written are listed.
        assert.ok(printed.endsWith(output(path, name)), printed);
        if (count === 3) assert.equal(printed, output(path, name));
    });
}

// ---- Run -------------------------------------------------------------------

/** The output of a program, as its page shows it. */
function output(path, name) {
    const command = `\n$ cargo run --example ${name}\n`;
    const [, rest] = source(path).split(command);
    return rest.split('```')[0];
}

describe('run', () => {
    /** The button of a program, what it prints, and how it stands. */
    function program(page, name) {
        const button = page.getByRole('button', {
            name: new RegExp(`^(Run|Stop) ${name}$`),
        });
        const place = page.locator('pre', { has: button }).locator('+ .run');
        return {
            button,
            log: place.getByRole('log'),
            status: place.getByRole('status'),
        };
    }

    // cargo may have to build it.
    const timeout = 120_000;

    for (const [path, name] of [[PAGE, 'run_many'], [OTHER, 'queue']]) {
        test(`${name} prints, and ends`, { timeout }, async t => {
            const page = await reader(t, { viewport: LAPTOP }, path);
            const { button, log, status } = program(page, name);
            await button.click();
            await status.filter({ hasText: /^Exit status 0 after [\d.]+ s$/ })
                .waitFor({ timeout });
            const printed = await log.locator('.stdout').allTextContents();
            assert.equal(printed.join(''), output(path, name));
            assert.match(await button.innerText(), /^Run/);
        });
    }

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
        const files = mkdtempSync(join(folder, 'foreign-'));
        writeFileSync(`${files}/index.html`, '<!DOCTYPE html>');
        const foreign = await serveFolder(files);
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

// ---- Reload -----------------------------------------------------------------

test('open pages reload when the book changes', async t => {
    const book = mkdtempSync(join(folder, 'edited-'));
    const edit = text => writeFileSync(`${book}/src/page.md`, `# Page\n\n${text}\n`);
    mkdirSync(`${book}/src`);
    writeFileSync(`${book}/book.toml`, '[book]\ntitle = "Edited"\n');
    writeFileSync(`${book}/src/SUMMARY.md`, '- [Page](page.md)\n');
    edit('First');
    const edited = await serve(book);
    t.after(() => edited.close());
    const pages = [await reader(t), await reader(t)];
    for (const page of pages) {
        await open(page, `${edited.url}/page.html`);
        await page.getByText('First').waitFor();
    }
    for (const text of ['Second', 'Third']) {
        edit(text);
        for (const page of pages) await page.getByText(text).waitFor();
    }
    // Its icon may still be loading when the server ends.
    for (const page of pages) await page.waitForLoadState('networkidle');
});

/** The processes that another one has started, and that have not ended. */
function children(parent) {
    return readdirSync('/proc').filter(pid => {
        if (!/^\d+$/.test(pid)) return false;
        try {
            const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
            // After the name, which is in parentheses: state, parent.
            const [, state, by] = stat.slice(stat.lastIndexOf(')')).split(' ');
            return by === `${parent}` && state !== 'Z';
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
