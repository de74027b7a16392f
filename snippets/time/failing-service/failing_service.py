# ANCHOR: pharmacy
import asyncio


class Breaker:
    # ANCHOR: state
    failures = 0  # closed, as long as fewer than three in a row have failed
    until = 0  # open, and nobody rings until then
    probing = False  # half-open, and one rings
    # ANCHOR_END: state

    async def call(self, ring):
        clock = asyncio.get_running_loop().time
        # ANCHOR: permit
        probe = self.failures >= 3
        if probe and (self.probing or clock() < self.until):
            return "refused"
        self.probing = probe
        # ANCHOR_END: permit
        try:
            # ANCHOR: failed
            try:
                async with asyncio.timeout(0.005):
                    status = await ring()
            except OSError:  # as is TimeoutError, and "connection refused"
                status = 504
            # ANCHOR_END: failed
            # ANCHOR: count
            if probe or self.failures < 3:
                self.failures = self.failures + 1 if status >= 500 else 0
                self.until = clock() + 60
            # ANCHOR_END: count
            return status
        finally:
            # ANCHOR: drop
            if probe:
                self.probing = False
            # ANCHOR_END: drop


async def main():
    breaker, dead, rung = Breaker(), True, 0

    # ANCHOR: customers
    async def ring():
        nonlocal rung
        rung += 1
        if dead:
            await asyncio.sleep(60)
        return 200

    answers = [await breaker.call(ring) for _ in range(30)]
    # ANCHOR_END: customers
    assert answers == [504] * 3 + ["refused"] * 27 and rung == 3

    dead, breaker.until = False, 0  # a minute later
    assert await breaker.call(ring) == 200 and breaker.failures == 0
# ANCHOR_END: pharmacy

    # Nor does it ring for ever where nobody listens.
    async def refused():
        nonlocal rung
        rung += 1
        raise ConnectionRefusedError

    rung = 0
    answers = [await breaker.call(refused) for _ in range(30)]
    assert answers == [504] * 3 + ["refused"] * 27 and rung == 3


asyncio.run(main())
