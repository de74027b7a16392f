# ANCHOR: keep
import asyncio
import contextlib
from datetime import datetime, timedelta

from apscheduler.triggers.cron import CronTrigger


class Scheduler:
    """Runs jobs again and again until the event is set. A job is not started
    while it runs."""

    def __init__(self, stopping, timeout, report):
        self.stopping, self.timeout, self.report = stopping, timeout, report

    # ANCHOR: every
    async def every(self, first, period, job):
        """Runs the job after `first` seconds, and then every `period`."""
        now = asyncio.get_running_loop().time
        due = now() + first
        while await self.waits(due - now()):
            # After now. A timer of asyncio may end a little too early.
            due += max(1, (now() - due) // period + 1) * period
            await self.run(job)
    # ANCHOR_END: every

    # ANCHOR: cron
    async def at(self, cron, now, job):
        """Runs the job at the times of `cron`. Returns if there is none."""
        seconds = datetime.timestamp  # not what the clock on the wall shows
        last = now()
        while True:
            time = now()
            if seconds(last) > seconds(time) + 24 * 3600:
                last = time  # the clock was far ahead
            if (due := cron.get_next_fire_time(last, last)) is None:
                return
            left = seconds(due) - seconds(time)
            # It may be set, or the machine may sleep.
            if not await self.waits(min(left, 60)):
                return
            if seconds(due) <= seconds(now()):
                await self.run(job)
                last = max(due, now(), key=seconds)  # it may be set back
    # ANCHOR_END: cron

    async def waits(self, seconds):
        """False if the event is set first."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0, seconds)):
                await self.stopping.wait()
        return not self.stopping.is_set()

    # ANCHOR: run
    async def run(self, job):
        try:
            async with asyncio.timeout(self.timeout):
                await job()
        except Exception as error:
            self.report(error)
    # ANCHOR_END: run
# ANCHOR_END: keep


from zoneinfo import ZoneInfo


class PausedLoop(asyncio.SelectorEventLoop):
    """Its clock jumps to the next timer when nothing else can run."""

    paused_at = 0.0

    def __init__(self):
        super().__init__()
        select = self._selector.select

        def jump(timeout):
            self.paused_at += timeout or 0
            return select(timeout and 0)

        self._selector.select = jump

    def time(self):
        return round(self.paused_at, 3)


HOUR, OSLO = 3600, ZoneInfo("Europe/Oslo")
reported = []


class Early(Scheduler):
    """Its timers end a little too early."""

    async def waits(self, seconds):
        return await super().waits(seconds - 0.001)


def new_scheduler(kind=Scheduler):
    return kind(asyncio.Event(), 3 * HOUR, reported.append)


async def begun(first, stop, durations, kind=Scheduler):
    """In which minutes a job has begun, and the end."""
    scheduler, minutes = new_scheduler(kind), []
    now = asyncio.get_running_loop().time
    start = now()

    async def job():
        minutes.append((now() - start) / 60)
        end = durations.get(len(minutes), 10)
        if isinstance(end, Exception):
            raise end
        await asyncio.sleep(60 * end)

    async with asyncio.TaskGroup() as group:
        group.create_task(scheduler.every(60 * first, HOUR, job))
        await asyncio.sleep(60 * stop)
        scheduler.stopping.set()
    return minutes, (now() - start) / 60


async def times(cron, start, hours, at=0, seconds=0):
    """When a job begins. The clock is set by so many seconds,
    a second after a minute."""
    scheduler, seen = new_scheduler(), []
    loop, shift = asyncio.get_running_loop(), 0
    begin = loop.time()
    utc = start.astimezone(ZoneInfo("UTC"))

    def now():
        passed = timedelta(seconds=loop.time() - begin + shift)
        return (utc + passed).astimezone(OSLO)

    async def job():
        seen.append(format(now(), "%a %H:%M %Z"))

    trigger = CronTrigger.from_crontab(cron, OSLO)
    async with asyncio.TaskGroup() as group:
        group.create_task(scheduler.at(trigger, now, job))
        await asyncio.sleep(60 * at + 1)
        shift = seconds
        await asyncio.sleep(HOUR * hours - 60 * at - 1)
        scheduler.stopping.set()
    return seen


async def main():
    refresh_tokens = lambda: asyncio.sleep(0)
    scheduler = new_scheduler()

    async def call():
        # ANCHOR: call
        period = 3600
        first = period * random.random()  # not all at the same time
        hourly = scheduler.every(first, period, refresh_tokens)

        cron = CronTrigger.from_crontab("30 2 * * *", OSLO)
        now = lambda: datetime.now(OSLO)
        nightly = scheduler.at(cron, now, refresh_tokens)
        # ANCHOR_END: call
        await asyncio.gather(hourly, nightly)

    calls = asyncio.create_task(call())
    await asyncio.sleep(2 * HOUR)
    scheduler.stopping.set()
    await calls

    assert await begun(5, 190, {}) == ([5, 65, 125, 185], 195)
    assert await begun(0, 200, {}) == ([0, 60, 120, 180], 200)
    assert (await begun(0, 310, {2: 150}))[0] == [0, 60, 210, 240, 300]
    early, _ = await begun(0, 200, {}, Early)
    assert [round(minute) for minute in early] == [0, 60, 120, 180]
    assert not reported
    fails = {1: OSError("503"), 2: ValueError("a comma"), 3: 540}
    assert (await begun(0, 370, fails))[0] == [0, 60, 120, 300, 360]
    kinds = [type(error) for error in reported]
    assert kinds == [OSError, ValueError, TimeoutError]

    friday = datetime(2026, 11, 27, 7, tzinfo=OSLO)
    assert await times("0 6 * * MON-FRI", friday, 120) == [
        "Mon 06:00 CET",
        "Tue 06:00 CET",
        "Wed 06:00 CET",
    ]
    # Twice in autumn, and in spring an hour later.
    spring = datetime(2026, 3, 28, tzinfo=OSLO)
    seen = await times("30 2 * * *", spring, 72)
    assert seen == ["Sat 02:30 CET", "Sun 03:30 CEST", "Mon 02:30 CEST"], seen
    autumn = datetime(2026, 10, 24, tzinfo=OSLO)
    seen = await times("30 2 * * *", autumn, 72)
    assert seen == [
        "Sat 02:30 CEST",
        "Sun 02:30 CEST",
        "Sun 02:30 CET",
        "Mon 02:30 CET",
    ], seen

    noon = datetime(2026, 6, 1, 12, tzinfo=OSLO)
    seen = await times("0 * * * *", noon, 3.9, 61, -HOUR)
    assert seen == ["Mon 13:00 CEST", "Mon 14:00 CEST"], seen
    year = 365 * 24 * HOUR
    seen = await times("0 * * * *", noon, 3.02, 61, -year)
    assert seen == ["Mon 13:00 CEST", "Sun 14:00 CEST", "Sun 15:00 CEST"], seen
    seen = await times("0 * * * *", noon, 3.02, 30, -year)
    assert seen == ["Sun 13:00 CEST", "Sun 14:00 CEST", "Sun 15:00 CEST"], seen
    seen = await times("0 * * * *", noon, 25, 61, -24 * HOUR)
    assert seen == ["Mon 13:00 CEST"], seen
    seen = await times("0 * * * *", noon, 2.02, 61, -25 * HOUR)
    assert seen == ["Mon 13:00 CEST", "Sun 13:00 CEST"], seen
    assert await times("0 0 30 2 *", noon, 1) == []
    seen = await times("0 * * * *", noon, 1.9, 30, 3 * HOUR)
    assert seen == ["Mon 15:31 CEST", "Mon 16:00 CEST"], seen


if __name__ == "__main__":
    import random

    with asyncio.Runner(loop_factory=PausedLoop) as runner:
        runner.run(main())
