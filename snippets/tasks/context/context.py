# ANCHOR: keep
from contextvars import ContextVar, copy_context
from dataclasses import dataclass


# ANCHOR: context
@dataclass(frozen=True)
class Context:
    """What belongs to one request, for code that gets no argument."""

    request_id: str
    language: str


CONTEXT = ContextVar("context", default=None)
# ANCHOR_END: context


# ANCHOR: current
def current():
    """The context of the code that runs now. None outside of a request."""
    return CONTEXT.get()
# ANCHOR_END: current


# A task and `to_thread` copy the context: a task needs no `inherit`.


# ANCHOR: inherit_sync
def inherit_sync(work):
    """For `run_in_executor`, which does not copy it."""
    context = copy_context()
    return lambda: context.run(work)
# ANCHOR_END: inherit_sync
# ANCHOR_END: keep


# Two requests at the same time, and what else happens to the context.
import asyncio


# ANCHOR: call
def headers():
    """The headers of each request to a carrier."""
    if context := current():
        return {
            "x-request-id": context.request_id,
            "accept-language": context.language,
        }
    return {}


async def track(parcel):
    """What the carrier knows of a parcel, and its label."""
    loop = asyncio.get_running_loop()
    status = await ask("status", parcel)
    events = asyncio.create_task(ask("events", parcel))
    work = inherit_sync(lambda: render(parcel))
    label = loop.run_in_executor(None, work)
    return [status, await events, await label]


async def handler(context, parcel):
    token = CONTEXT.set(context)
    try:
        return await track(parcel)
    finally:
        CONTEXT.reset(token)
# ANCHOR_END: call


async def ask(what, parcel):
    await asyncio.sleep(parcel / 100)
    return what, parcel, headers()


def render(parcel):
    return "label", parcel, headers()


async def id_later():
    await asyncio.sleep(0)
    return current() and current().request_id


async def main():
    # ANCHOR: both
    one, two = await asyncio.gather(
        handler(Context("a1", "en"), 2),
        handler(Context("b2", "nb"), 1),
    )
    # ANCHOR_END: both
    for calls, parcel, request_id, language in [
        (one, 2, "a1", "en"),
        (two, 1, "b2", "nb"),
    ]:
        sent = {"x-request-id": request_id, "accept-language": language}
        names = ["status", "events", "label"]
        assert calls == [(name, parcel, sent) for name in names]

    # Tasks share one context, so no task can change it.
    try:
        Context("a1", "en").language = "nb"
        raise AssertionError("it can be changed")
    except AttributeError:
        pass

    assert current() is None and headers() == {}
    assert inherit_sync(current)() is None
    assert await id_later() is None

    # The request has ended; its task has not.
    async def later():
        return asyncio.create_task(id_later())

    token = CONTEXT.set(Context("a1", "en"))
    task = await later()
    CONTEXT.reset(token)
    assert await task == "a1"


asyncio.run(main())
