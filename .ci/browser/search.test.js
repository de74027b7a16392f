// What a reader types into the search, and the page that must be among the
// first three hits. Where several pages answer, any of them will do.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, open, serve } from './book.js';

const TERMS = [
    ['setting-up', [
        'install',
    ]],
    ['core-patterns/async-iterators', [
        'async for',
        'async generator',
        'Stream',
    ]],
    ['core-patterns/async-iterators | reference/by-symptom', [
        'pin!',
    ]],
    ['core-patterns/async-with', [
        'async with',
        '__aexit__',
    ]],
    ['core-patterns/async-with | best-practices/resources', [
        'AsyncExitStack',
        'Drop',
        'cleanup',
    ]],
    ['core-patterns/async-with | reference/by-symptom', [
        'error[E0728]: `await` is only allowed inside `async` functions and blocks',
    ]],
    ['core-patterns/fetch-json', [
        'aiohttp',
        'httpx',
        'reqwest',
        'aiohttp.ClientSession',
    ]],
    ['core-patterns/fetch-json | best-practices/cancellation', [
        'wait_for',
        'asyncio.wait_for',
    ]],
    ['core-patterns/fetch-json | time/timeouts', [
        'timeout',
    ]],
    ['core-patterns/fetch-json | reference/by-symptom', [
        'Error: reqwest::Error { kind: Request, source: TimedOut } error sending request for url',
        'error decoding response body: missing field',
    ]],
    ['core-patterns/run-many', [
        'gather',
        'asyncio.gather',
        'join_all',
        'Arc',
        'error[E0373]: async block may outlive the current function, but it borrows `network`, which is owned by the current function',
    ]],
    ['core-patterns/run-many | tasks/cap-concurrency', [
        'Semaphore',
        'buffer_unordered',
        'limit',
        'concurrency limit',
    ]],
    ['core-patterns/run-many | tasks/as-they-finish | tasks/task-group', [
        'JoinSet',
    ]],
    ['tasks/as-they-finish', [
        'as_completed',
        'asyncio.as_completed',
        'FuturesUnordered',
        'join_next',
        'which task panicked',
    ]],
    ['tasks/task-group', [
        'nursery',
        'structured concurrency',
    ]],
    ['tasks/task-group | pitfalls/errors-in-a-join', [
        'TaskGroup',
        'asyncio.TaskGroup',
    ]],
    ['tasks/stop-leaking', [
        'AbortOnDropHandle',
        'task leak',
        'leaked task',
    ]],
    ['tasks/stop-leaking | web/background-work', [
        'fire and forget',
    ]],
    ['tasks/dead-task', [
        'Task exception was never retrieved',
        'supervisor',
        'restart',
        'resume_unwind',
    ]],
    ['tasks/cap-concurrency', [
        'BoundedSemaphore',
        'buffer_unordered hangs',
        'for_each_concurrent',
    ]],
    ['tasks/first-success', [
        'select_ok',
        'race',
        'fastest mirror',
    ]],
    ['core-patterns/run-many | advanced-patterns/threads', [
        'parallel',
    ]],
    ['advanced-patterns/cache', [
        'lru_cache',
        'functools.lru_cache',
        'moka',
        'cache',
    ]],
    ['advanced-patterns/queue', [
        'Queue',
        'asyncio.Queue',
        'mpsc',
        'broadcast',
        'oneshot',
        'worker',
        'backpressure',
        'back-pressure',
    ]],
    ['advanced-patterns/queue | reference/by-symptom', [
        'channel lagged by 2',
    ]],
    ['advanced-patterns/single-flight', [
        'stampede',
    ]],
    ['advanced-patterns/single-flight | time/set-up-once', [
        'OnceCell',
    ]],
    ['advanced-patterns/single-flight | time/shield', [
        'shield',
    ]],
    ['advanced-patterns/threads', [
        'run_in_executor',
        'to_thread',
        'asyncio.to_thread',
        'ThreadPoolExecutor',
        'spawn_blocking',
        'rayon',
    ]],
    ['web/background-work', [
        'BackgroundTasks',
    ]],
    ['web/background-work | time/shutdown', [
        'TaskTracker',
        'Ctrl-C',
        'graceful shutdown',
    ]],
    ['web/background-work | reference/asyncio-to-rust | core-patterns/run-many', [
        'create_task',
        'tokio::spawn',
    ]],
    ['web/database', [
        'SQLAlchemy',
        'aiosqlite',
        'sqlx',
        'sql injection',
    ]],
    ['web/database | reference/by-symptom', [
        'Error: PoolTimedOut',
        'pool timed out while waiting for an open connection',
        'sqlx::Error PoolTimedOut',
    ]],
    ['web/database | web/postgres', [
        'transaction',
    ]],
    ['web/endpoints', [
        'FastAPI',
        'HTTPException',
        'axum',
    ]],
    ['web/postgres', [
        'asyncpg',
        'PgListener',
        'copy_records_to_table',
        'current transaction is aborted, commands ignored until end of transaction block',
    ]],
    ['testing/async-tests', [
        'pytest-asyncio',
        'start_paused',
    ]],
    ['testing/async-tests | pitfalls/blocking-the-runtime | reference/asyncio-to-rust', [
        'asyncio.sleep',
    ]],
    ['testing/async-tests | testing/mock-server | reference/asyncio-to-rust | time/retry', [
        'retry',
    ]],
    ['testing/fakes', [
        'AsyncMock',
        'async_trait',
        'dyn',
        'the trait `Post` is not dyn compatible',
    ]],
    ['testing/mock-server', [
        'respx',
        'wiremock',
    ]],
    ['testing/mock-server | testing/fakes', [
        'mock',
    ]],
    ['performance/async-or-sync | pitfalls/blocking-the-runtime', [
        'too slow',
    ]],
    ['performance/flat-memory', [
        'aiofiles',
        'memory',
        'out of memory',
        'large file',
    ]],
    ['best-practices/cancellation', [
        'CancelledError',
        'task.cancel',
        'asyncio.CancelledError',
        'CancellationToken',
        'select!',
        'tokio::select!',
        'stop',
        'cancel',
    ]],
    ['best-practices/cancellation | best-practices/errors | reference/by-symptom', [
        'deadline has elapsed',
    ]],
    ['best-practices/errors', [
        'anyhow',
        'thiserror',
    ]],
    ['best-practices/errors | best-practices/cancellation | core-patterns/fetch-json', [
        'except asyncio.TimeoutError',
    ]],
    ['best-practices/errors | pitfalls/errors-in-a-join', [
        'JoinError',
        'exception',
    ]],
    ['best-practices/errors | reference/by-symptom', [
        'task 2 panicked with message "no spokes"',
    ]],
    ['best-practices/resources', [
        'kill_on_drop',
        'subprocess',
    ]],
    ['best-practices/resources | reference/by-symptom | tasks/stop-leaking', [
        'leak',
    ]],
    ['pitfalls/blocking-the-runtime', [
        'time.sleep',
        'freeze',
    ]],
    ['pitfalls/blocking-the-runtime | advanced-patterns/queue', [
        'Mutex',
    ]],
    ['pitfalls/blocking-the-runtime | advanced-patterns/single-flight | reference/asyncio-to-rust', [
        'asyncio.Lock',
    ]],
    ['pitfalls/blocking-the-runtime | reference/by-symptom', [
        'deadlock',
    ]],
    ['pitfalls/errors-in-a-join', [
        'try_join!',
    ]],
    ['pitfalls/errors-in-a-join | best-practices/errors', [
        'ExceptionGroup',
    ]],
    ['pitfalls/errors-in-a-join | core-patterns/run-many', [
        'return_exceptions',
    ]],
    ['pitfalls/forgotten-await', [
        'warning: unused implementer of `Future` that must be used',
        '= note: futures do nothing unless you `.await` or poll them',
        "RuntimeWarning: coroutine 'send_receipt' was never awaited",
        'future returned by `send` does nothing unless awaited',
        'forgot await',
    ]],
    ['time/select-loop', [
        'biased',
        'lost message',
        'messages vanish',
        'async fn resumed after completion',
        'all branches are disabled and there is no else branch',
    ]],
    ['time/select-loop | best-practices/cancellation | testing/cancellation-test', [
        'cancel safe',
    ]],
    ['time/shutdown', [
        'SIGTERM',
        'add_signal_handler',
        'drain',
    ]],
    ['time/timeouts', [
        'timeout_at',
        'time budget',
        'nested timeouts',
        'asyncio.timeout',
    ]],
    ['time/shield', [
        'asyncio.shield',
        'client disconnect',
        'idempotency key',
    ]],
    ['time/deadlocks', [
        'futurelock',
    ]],
    ['time/deadlocks | pitfalls/blocking-the-runtime | reference/by-symptom', [
        'lock order',
        'stands still',
    ]],
    ['time/periodic', [
        'cron',
        'missed ticks',
        'MissedTickBehavior',
        'periodic',
    ]],
    ['time/periodic | reference/asyncio-to-rust', [
        'call_later',
    ]],
    ['time/broadcast', [
        'pubsub',
        'notify_waiters',
        'borrow_and_update',
        'lost wake-up',
    ]],
    ['reference/asyncio-to-rust | core-patterns/run-many | tasks/cap-concurrency | time/rate-limit', [
        'rate limit',
    ]],
    ['tasks/first-success | tasks/as-they-finish | reference/asyncio-to-rust', [
        'FIRST_COMPLETED',
    ]],
    ['reference/asyncio-to-rust', [
        'asyncio.timeout_at',
        'asyncio.Event',
        'asyncio.wait',
        'asyncio.Barrier',
    ]],
    ['reference/by-symptom', [
        'E0277',
        'E0382',
        'E0733',
        "thread 'main' panicked at src/main.rs:5:18: there is no reactor running, must be called from the context of a Tokio 1.x runtime",
        'Cannot drop a runtime in a context where blocking is not allowed. This happens when a runtime is dropped from within an asynchronous context.',
        'error[E0277]: `{async fn body of repair()}` cannot be unpinned',
        'Cannot start a runtime from within a runtime. This happens because a function (like `block_on`) attempted to block the current thread',
        'error[E0733]: recursion in an async fn requires boxing',
        'error[E0382]: use of moved value: `prices`',
        'error returned from database: (code: 5) database is locked',
        "thread 'tokio-runtime-worker' panicked at src/main.rs:12:9: Cannot start a runtime from within a runtime",
    ]],
    ['reference/by-symptom | pitfalls/blocking-the-runtime', [
        'hangs',
    ]],
    ['tasks/share-state', [
        'lost update',
        'race condition',
        'shared state',
        'Arc<Mutex>',
        'RwLock',
        'send_modify',
        'recursive read',
    ]],
    ['tasks/actor', [
        'actor',
        'create_future',
        'InvalidStateError',
        'mailbox',
        'WeakSender',
        'request and reply',
        'message passing',
    ]],
    ['tasks/borrow', [
        'memoryview',
        'split_at_mut',
        'thread::scope',
        'RefCell already borrowed',
        'error[E0597]: `wall` does not live long enough',
        "argument requires that `wall` is borrowed for `'static`",
        'error[E0499]: cannot borrow `wall` as mutable more than once at a time',
        'await_holding_refcell_ref',
    ]],
    ['tasks/borrow | reference/by-symptom', [
        'borrowed data escapes outside of function',
    ]],
    ['tasks/async-traits', [
        'decorator',
        'functools.wraps',
        'AsyncFnMut',
        'async closure',
        'callback',
        'BoxFuture',
        'error: implementation of `Send` is not general enough',
        'the trait `AsyncFn` is not dyn compatible',
        'expected a closure that implements the `AsyncFn` trait, but this closure only implements `AsyncFnOnce`',
        'error: lifetime may not live long enough',
        'higher-ranked lifetime error',
    ]],
    ['tasks/recursion', [
        'RecursionError',
        'sys.setrecursionlimit',
        'recursion',
        'stack overflow',
        'thread has overflowed its stack',
        'BoxFuture',
        'crawler',
        'worklist',
        'large_futures',
        'large future with a size of 16408 bytes',
    ]],
    ['tasks/context', [
        'contextvars',
        'ContextVar',
        'task_local!',
        'tokio::task_local',
        'thread_local!',
        'request id',
        'correlation id',
        'in_current_span',
        'sync_scope',
        'take_value',
    ]],
    ['tasks/context | reference/by-symptom', [
        'cannot access a task-local storage value without setting it first',
    ]],
    ['time/retry', [
        'backon',
        'tenacity',
        'jitter',
        'exponential backoff',
        'retry budget',
        'retry storm',
        'TpsBudget',
        'ExponentialBuilder',
        'thundering herd',
    ]],
    ['time/retry | time/shield', [
        'idempotency',
    ]],
    ['time/rate-limit', [
        'governor',
        'aiolimiter',
        'token bucket',
        'fixed window',
        'RateLimiter',
        'until_ready',
        'too many requests',
    ]],
    ['time/rate-limit | time/retry', [
        'Retry-After',
        '429',
    ]],
    ['time/rate-limit | tasks/cap-concurrency', [
        'throttle',
    ]],
    ['time/failing-service', [
        'circuit breaker',
        'half-open',
        'hedged requests',
        'tail latency',
        'thundering herd',
        'pybreaker',
        'failsafe',
        'service is down',
    ]],
    ['time/queues', [
        'PriorityQueue',
        'asyncio.PriorityQueue',
        'heapq',
        'BinaryHeap',
        'DelayQueue',
        'priority queue',
        'ageing',
        'lost wake-up in a queue',
    ]],
    ['time/queues | reference/asyncio-to-rust', [
        'call_at',
    ]],
    ['time/set-up-once', [
        'functools.cache',
        'cannot reuse already awaited coroutine',
        'get_or_init',
        'get_or_try_init',
        'LazyLock',
        'OnceLock',
        'lazy initialization',
        'singleton',
        'double-checked locking',
    ]],
    ['time/set-up-once | reference/by-symptom', [
        'LazyLock instance has previously been poisoned',
        'A Tokio 1.x context was found, but it is being shutdown',
    ]],
    ['time/refresh-token', [
        'OAuth',
        'access token',
        'refresh token',
        'stale while revalidate',
        'expires_in',
        '401 Unauthorized',
        'clock skew',
        'token rotation',
    ]],
    ['pitfalls/blocking-the-runtime | tasks/borrow | tasks/share-state', [
        'error: future cannot be sent between threads safely',
    ]],
    ['reference/which-one', [
        'which one do I use',
        'decision table',
        'cheat sheet',
    ]],
];

let browser, server, page;
before(async () => {
    [browser, server] = await Promise.all([launch(), serve()]);
    page = await browser.newPage();
    await open(page, server.url);
    await page.keyboard.press('/');
});
after(async () => {
    await browser?.close();
    await server?.close();
});

/** What the page lists for a term. */
async function hits(term) {
    const bar = page.locator('#mdbook-searchbar');
    await bar.fill(term);
    // The search answers to keys, not to a changed text.
    await bar.press('End');
    await page.locator('#mdbook-searchresults-header')
        .filter({ hasText: `'${term}'` })
        .waitFor();
    return page.locator('#mdbook-searchresults a').evaluateAll(
        links => links.map(({ pathname, hash }) => pathname.slice(1) + hash),
    );
}

for (const [wanted, terms] of TERMS) {
    const pages = wanted.split(' | ').map(page => `${page}.html`);
    for (const term of terms) {
        test(`search finds ${pages[0]}: ${term}`, async () => {
            const found = await hits(term);
            const first = found.slice(0, 3);
            assert.ok(
                first.some(hit => pages.includes(hit.split('#')[0])),
                `${term}: finds ${first.join(', ') || 'nothing'}`,
            );
        });
    }
}

test('search finds nothing for nonsense', async () => {
    assert.deepEqual(await hits('qwxzvb'), []);
});

test('a hit opens where it was found', async () => {
    await hits('there is no reactor running');
    const hit = page.locator('#mdbook-searchresults a').first();
    const { hash } = new URL(await hit.evaluate(link => link.href));
    await hit.click();
    await page.waitForURL(url => url.hash === hash);
    await page.locator(`${hash}:target`).waitFor();
    await page.locator('main mark').first().waitFor({ state: 'attached' });
});
