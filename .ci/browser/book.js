// The served book, a browser, and what all checks need of both.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const COMMAND = `${root}/target/debug/async-cookbook`;

/** The pages of SUMMARY.md, in order, as paths of the rendered book. */
export const PAGES = readFileSync(`${root}/book/SUMMARY.md`, 'utf8')
    .match(/(?<=\]\()[^)]+(?=\.md\))/g)
    .map(page => `${page.replace(/README$/, 'index')}.html`);

/** The Markdown of a page. */
export function source(page) {
    const file = page.replace(/index\.html$/, 'README.html')
        .replace(/html$/, 'md');
    return readFileSync(`${root}/book/${file}`, 'utf8');
}

/** Runs the command; returns what it prints. */
export function cookbook(...args) {
    return execFileSync(COMMAND, args, { cwd: root, encoding: 'utf8' });
}

/** Serves the book in a folder on a free port; `close` ends that. */
export async function serve(cwd = root) {
    const server = spawn(COMMAND, ['serve', '--port', '0'], {
        cwd,
        stdio: ['ignore', 'pipe', 'inherit'],
    });
    const kill = () => server.kill();
    process.once('exit', kill);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
        process.once(signal, () => process.exit(1));
    }
    const ended = new Promise(resolve => server.once('exit', resolve));
    const url = await new Promise((resolve, reject) => {
        let printed = '';
        server.stdout.on('data', text => {
            printed += text;
            const address = printed.match(/http:\S+/);
            if (address) resolve(address[0]);
        });
        server.once('error', reject);
        server.once('exit', status => {
            reject(new Error(`the server has ended with ${status}`));
        });
    });
    const close = async () => {
        kill();
        await ended;
        process.off('exit', kill);
    };
    return { url, close, pid: server.pid };
}

/** A Chromium that can reach nothing but this machine. */
export async function launch() {
    const executablePath = execFileSync(
        'sh',
        ['-c', 'command -v chromium || command -v google-chrome'],
        { encoding: 'utf8' },
    ).trim();
    return chromium.launch({
        executablePath,
        args: ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
    });
}

/** Opens a page; ready when its scripts and fonts are. */
export async function open(page, url) {
    const response = await page.goto(url, { waitUntil: 'load' });
    await page.evaluate(() => document.fonts.ready);
    return response;
}

/**
 * Writes to `faults` what goes wrong in a page from now on: what it
 * complains of in the console, throws, fails to load, or asks another host.
 */
export function watch(page, faults) {
    const own = () => new URL(page.url()).origin;
    page.on('console', message => {
        if (!['error', 'warning'].includes(message.type())) return;
        const { url } = message.location();
        // The page that says so is itself what has not been found.
        if (url === page.url() && message.text().includes('404')) return;
        faults.push(`console.${message.type()}: ${message.text()} (${url})`);
    });
    page.on('pageerror', error => faults.push(`throws ${error}`));
    page.on('requestfailed', request => {
        const { errorText } = request.failure();
        // The page was left before it was all there.
        if (errorText === 'net::ERR_ABORTED') return;
        faults.push(`cannot load ${request.url()}: ${errorText}`);
    });
    page.on('response', response => {
        if (response.status() < 400) return;
        if (response.request().isNavigationRequest()) return;
        faults.push(`${response.status()} for ${response.url()}`);
    });
    page.on('request', request => {
        const url = new URL(request.url());
        if (request.isNavigationRequest() && url.hostname === '127.0.0.1') {
            return;
        }
        if (!['data:', 'blob:'].includes(url.protocol) && url.origin !== own()) {
            faults.push(`asks another host: ${url}`);
        }
    });
    page.on('websocket', socket => {
        const url = new URL(socket.url());
        // The server tells the page to reload.
        if (url.host === new URL(page.url()).host) return;
        faults.push(`opens a connection to ${url}`);
    });
}

/** Fails with all faults at once. */
export function none(faults) {
    assert.equal(faults.length, 0, `\n${faults.join('\n')}`);
}
