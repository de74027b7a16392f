# ANCHOR: keep
import json
import logging
import re
import uuid
from contextvars import ContextVar
from logging.handlers import QueueHandler, QueueListener
from queue import Queue

REQUEST_ID = ContextVar("request_id", default=None)


class Json(logging.Formatter):
    """Each line of the log is an object of JSON."""

    def format(self, record):
        line = {
            "timestamp": self.formatTime(record),
            "level": record.levelname,
            "message": record.getMessage(),
            "target": record.name,
            "id": record.request_id,
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line)


def add_request_id(record):
    record.request_id = REQUEST_ID.get()
    return True


# ANCHOR: set_up
def set_up(level, output):
    """A thread writes the lines. Call `stop` of what it returns at the end."""
    handler = QueueHandler(Queue(128_000))
    handler.addFilter(add_request_id)
    handler.setFormatter(Json())
    logging.basicConfig(level=level, handlers=[handler])
    listener = QueueListener(handler.queue, logging.StreamHandler(output))
    listener.start()
    return listener
# ANCHOR_END: set_up


# ANCHOR: request_id
def request_id(headers):
    """The id that the client or a proxy has sent, if it is a good one."""
    sent = headers.get("x-request-id", "")
    if re.fullmatch("[0-9A-Za-z-]{1,64}", sent):
        return sent
    return str(uuid.uuid4())
# ANCHOR_END: request_id


async def traced(headers, handler):
    """The lines of the log and the response have the same id."""
    token = REQUEST_ID.set(request_id(headers))
    try:
        return {"x-request-id": REQUEST_ID.get()}, await handler()
    finally:
        REQUEST_ID.reset(token)
# ANCHOR_END: keep


# Requests that succeed and fail.
import asyncio
import io

log = logging.getLogger("service")


# ANCHOR: handler
async def status(parcel):
    """Asks the carrier."""
    log.debug("the carrier is asked")
    status = await carrier(parcel)
    fields = {"parcel": parcel, "status": status}
    log.info("the carrier has answered", extra={"fields": fields})
    return status


async def show(parcel):
    try:
        found = await status(parcel)
        events_of = asyncio.create_task(events(parcel))
        label = await asyncio.to_thread(render, parcel)
        return 200, f"{found}, {await events_of} events, {label}"
    except Exception:
        log.exception("parcel %s", parcel)
        return 502, ""
# ANCHOR_END: handler


async def carrier(parcel):
    await asyncio.sleep(parcel / 1000)
    if parcel == 13:
        raise OSError("404 Not Found")
    return "in transit"


async def events(parcel):
    log.info("the events are read")
    return 3


def render(parcel):
    log.warning("the label of %s has no font", parcel)
    return "a label"


async def main():
    for sent, kept in [
        ("id-7", True),
        ("a" * 64, True),
        ("a" * 65, False),
        ("", False),
        ("a b", False),
        ('"}\n', False),
        ("a\n", False),
    ]:
        found = request_id({"x-request-id": sent})
        assert (found == sent) is kept, sent
        assert kept or str(uuid.UUID(found)) == found

    output = io.StringIO()
    listener = set_up("INFO", output)
    answers = await asyncio.gather(*(
        traced({"x-request-id": f"id-{parcel}"}, lambda p=parcel: show(p))
        for parcel in (7, 8, 13)
    ))
    headers = [headers["x-request-id"] for headers, _ in answers]
    assert headers == ["id-7", "id-8", "id-13"]
    assert [answer[0] for _, answer in answers] == [200, 200, 502]
    async def nothing():
        pass

    await traced({}, nothing)
    log.info("outside")
    listener.stop()

    lines = [json.loads(line) for line in output.getvalue().splitlines()]
    assert lines[-1]["id"] is None
    for parcel in (7, 8):
        found = [line for line in lines if line["id"] == f"id-{parcel}"]
        for line in found:
            assert line.pop("timestamp") and line["target"] == "service"
        assert sorted(line["message"] for line in found) == [
            "the carrier has answered",
            "the events are read",
            f"the label of {parcel} has no font",
        ]
        assert found[0] == {
            "level": "INFO",
            "message": "the carrier has answered",
            "target": "service",
            "id": f"id-{parcel}",
            "parcel": parcel,
            "status": "in transit",
        }
    (failed,) = [line for line in lines if line["id"] == "id-13"]
    assert failed["level"] == "ERROR" and failed["message"] == "parcel 13"
    assert failed["error"].endswith("OSError: 404 Not Found")


asyncio.run(main())
