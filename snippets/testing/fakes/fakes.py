import contextlib
import io

# ANCHOR: tests
import pytest


# ANCHOR: remind
async def remind(post, loans):
    """Writes to every reader; returns those that it could not write to."""
    missed = []
    for reader, book in loans:
        try:
            await post.send(reader, f"Please bring back {book}.")
        except ConnectionError:
            missed.append(reader)
    return missed
# ANCHOR_END: remind


# ANCHOR: fake
class FakePost:
    def __init__(self, closed_at_call=0):
        self.sent = []
        self.calls = 0
        self.closed_at_call = closed_at_call
# ANCHOR_END: fake

    # ANCHOR: send
    async def send(self, reader, text):
        self.calls += 1
        if self.calls == self.closed_at_call:
            raise ConnectionError("the post office is closed")
        self.sent.append((reader, text))
    # ANCHOR_END: send


# ANCHOR: loans
LOANS = [("Ada", "Emma"), ("Ben", "Dune"), ("Cleo", "Kim")]
# ANCHOR_END: loans


# ANCHOR: fails
@pytest.mark.asyncio
async def test_a_letter_that_fails_holds_up_no_other():
    post = FakePost(closed_at_call=2)
    assert await remind(post, LOANS) == ["Ben"]
    assert post.sent == [
        ("Ada", "Please bring back Emma."),
        ("Cleo", "Please bring back Kim."),
    ]
# ANCHOR_END: fails
# ANCHOR_END: tests


OPTIONS = [
    "--override-ini=asyncio_default_fixture_loop_scope=function",
    "-pno:cacheprovider",
]

if __name__ == "__main__":
    with contextlib.redirect_stdout(io.StringIO()) as report:
        ended = pytest.main([__file__, *OPTIONS])
    assert ended == 0 and "1 passed" in report.getvalue(), report.getvalue()
