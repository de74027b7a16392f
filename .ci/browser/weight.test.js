// What a page weighs, and when it shows on a processor four times slower. It is
// printed, and not judged: it depends on the machine.

import { after, before, test } from 'node:test';
import { PAGES, launch, open, serve } from './book.js';

let browser, server;
before(async () => {
    [browser, server] = await Promise.all([launch(), serve()]);
});
after(async () => {
    await browser?.close();
    await server?.close();
});

const TYPES = ['Document', 'Script', 'Stylesheet', 'Font'];

async function weigh(path) {
    const context = await browser.newContext();
    const page = await context.newPage();
    const cdp = await context.newCDPSession(page);
    await cdp.send('Network.enable');
    await cdp.send('Emulation.setCPUThrottlingRate', { rate: 4 });
    const types = new Map();
    const bytes = Object.fromEntries([...TYPES, 'Other'].map(type => [type, 0]));
    cdp.on('Network.responseReceived', ({ requestId, type }) => {
        types.set(requestId, TYPES.includes(type) ? type : 'Other');
    });
    cdp.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
        bytes[types.get(requestId) ?? 'Other'] += encodedDataLength;
    });
    await open(page, `${server.url}/${path}`);
    const times = await page.evaluate(() => new Promise(resolve => {
        new PerformanceObserver(list => {
            const [paint] = list.getEntriesByName('first-contentful-paint');
            const [{ domContentLoadedEventEnd }] =
                performance.getEntriesByType('navigation');
            if (paint) resolve([paint.startTime, domContentLoadedEventEnd]);
        }).observe({ type: 'paint', buffered: true });
    }));
    await context.close();
    const kilobytes = Object.values(bytes).map(count => count / 1024);
    return [kilobytes.reduce((sum, kb) => sum + kb), ...kilobytes, ...times];
}

test('weight, and time to show', async () => {
    const rows = [];
    for (const path of PAGES) rows.push([path, ...await weigh(path)]);
    rows.sort((a, b) => b[1] - a[1]);
    const middle = rows[0].slice(1).map((_, column) => rows
        .map(row => row[column + 1])
        .sort((a, b) => a - b)[Math.floor(rows.length / 2)]);
    const head = ['all', 'HTML', 'JS', 'CSS', 'fonts', 'rest', 'paint', 'ready'];
    const line = ([name, ...cells]) => name.padEnd(40)
        + cells.map(cell => `${cell}`.padStart(7)).join('');
    console.log(`${[
        line(['kB from an empty cache; ms', ...head]),
        ...[['median', ...middle], ...rows.slice(0, 5)].map(([name, ...cells]) =>
            line([name, ...cells.map(Math.round)])),
    ].join('\n')}`);
});
