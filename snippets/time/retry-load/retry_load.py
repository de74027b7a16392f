# ANCHOR: keep
import asyncio

from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)


# ANCHOR: budget
class RetryBudget:
    """Lends one retry for five successes, and holds ten at most."""

    COST = 5

    def __init__(self):
        self.successes = 0

    def deposit(self):
        self.successes = min(self.successes + 1, 10 * self.COST)

    def withdraw(self):
        lends = self.successes >= self.COST
        if lends:
            self.successes -= self.COST
        return lends
# ANCHOR_END: budget


# ANCHOR: retry
async def retry_within(budget, deadline, is_transient, attempt):
    """Retries transient errors until the deadline, while the budget lends."""
    now = asyncio.get_running_loop().time

    def is_refused(state):
        in_time = now() + state.upcoming_sleep < deadline
        return not (in_time and budget.withdraw())

    retries = AsyncRetrying(
        retry=retry_if_exception(is_transient),
        stop=stop_after_attempt(4) | is_refused,
        wait=wait_random_exponential(multiplier=1),
        reraise=True,
    )
    result = await retries(attempt)
    budget.deposit()
    return result
# ANCHOR_END: retry
# ANCHOR_END: keep


# A carrier with an outage, and what the retries make of it.
import random


class PausedLoop(asyncio.SelectorEventLoop):
    """Its clock jumps to the next timer when nothing else can run."""

    paused_at = 0.0

    def time(self):
        return self.paused_at

    def _run_once(self):
        if not self._ready and self._scheduled:
            self.paused_at = max(self.paused_at, self._scheduled[0].when())
        super()._run_once()


class Carrier:
    """Answers ten requests a second, in their order."""

    def __init__(self):
        self.now = asyncio.get_running_loop().time
        self.start = self.free = self.now()
        self.requests, self.answered = [0] * 6, [0] * 6

    async def track(self):
        ten_seconds = int(self.now() - self.start) // 10
        self.requests[ten_seconds] += 1
        if sum(self.requests) % 10 == 0:
            raise ConnectionResetError
        begin = max(self.free, self.now())
        if self.start + 10 <= begin < self.start + 15:
            begin = self.start + 15
        self.free = begin + 0.1
        if self.free > self.now() + 1:
            await asyncio.sleep(1)
            raise TimeoutError
        await asyncio.sleep(self.free - self.now())
        self.answered[ten_seconds] += 1
        return "in transit"


def is_transient(error):
    return isinstance(error, ConnectionResetError | TimeoutError)


async def minute(budget):
    """Tracks five parcels a second. Nothing is answered from 10 to 15 s."""
    carrier = Carrier()

    async def call(number):
        await asyncio.sleep(number / 5)
        deadline = carrier.now() + 20
        try:
            await retry_within(budget, deadline, is_transient, carrier.track)
        except (ConnectionResetError, TimeoutError):
            pass

    calls = [asyncio.create_task(call(number)) for number in range(300)]
    await asyncio.sleep(59.99)
    for task in calls:
        task.cancel()
    await asyncio.wait(calls)
    return carrier.answered


class NoLimit:
    def deposit(self):
        pass

    def withdraw(self):
        return True


class NoRetries(NoLimit):
    def withdraw(self):
        return False


class Once:
    """Fails with an error as often as it is told, and counts the attempts."""

    def __init__(self, error, failures):
        self.error, self.failures, self.attempts = error, failures, 0

    async def __call__(self):
        self.attempts += 1
        if self.attempts <= self.failures:
            raise self.error
        return "in transit"


async def main():
    random.seed(7)
    now = asyncio.get_running_loop().time

    *_, after = await minute(NoRetries())
    assert after == 45
    assert await minute(NoLimit()) == [50, 0, 0, 0, 0, 0]
    *_, after = await minute(RetryBudget())
    assert after >= 48

    # The budget is empty until five calls have succeeded.
    budget = RetryBudget()
    for successes in range(6):
        attempt = Once(TimeoutError(), 1)
        try:
            deadline = now() + 20
            answer = await retry_within(budget, deadline, is_transient, attempt)
            assert (answer, successes) == ("in transit", 5)
        except TimeoutError:
            assert successes < 5 and attempt.attempts == 1
        await retry_within(budget, now(), is_transient, Once(None, 0))

    # It holds ten retries at most.
    for _ in range(60):
        budget.deposit()
    assert [budget.withdraw() for _ in range(11)] == [True] * 10 + [False]

    # No wait ends after the deadline.
    for _ in range(20):
        budget.successes = 10 * budget.COST
        attempt, start = Once(TimeoutError(), 4), now()
        try:
            await retry_within(budget, start + 0.5, is_transient, attempt)
        except TimeoutError:
            assert now() - start < 0.5

    # Neither a permanent error nor a wait that is too long costs a retry.
    budget.successes = 10 * budget.COST
    for error, left in [(TimeoutError(), 0), (ValueError(), 20)]:
        attempt = Once(error, 4)
        try:
            await retry_within(budget, now() + left, is_transient, attempt)
            raise AssertionError("it fails")
        except type(error):
            assert attempt.attempts == 1
    assert budget.successes == 10 * budget.COST

    # Four attempts, with waits of up to 1 s, 2 s and 4 s.
    longest = total = 0
    for _ in range(100):
        budget.successes = 10 * budget.COST
        attempt, start = Once(TimeoutError(), 4), now()
        try:
            await retry_within(budget, now() + 20, is_transient, attempt)
            raise AssertionError("it fails")
        except TimeoutError:
            assert attempt.attempts == 4 and now() - start <= 7
            assert budget.successes == 7 * budget.COST
            longest = max(longest, now() - start)
            total += now() - start
    assert longest > 5 and 300 < total < 400


with asyncio.Runner(loop_factory=PausedLoop) as runner:
    runner.run(main())
