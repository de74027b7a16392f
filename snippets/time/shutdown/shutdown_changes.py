import signal
import subprocess
import sys

# ANCHOR: changes
PROGRAM = """
import asyncio, os, signal

# As in a terminal; a job in the background ignores Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

async def main():
    try:
        os.write(1, b"at work\\n")
        await asyncio.Event().wait()
    finally:
        os.write(1, b"put away\\n")

asyncio.run(main())
"""


def said_after(number):
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as program:
        assert program.stdout.readline() == b"at work\n"
        program.send_signal(number)
        return program.stdout.read()


# Ctrl-C cancels the main task. SIGTERM just ends the process.
assert said_after(signal.SIGINT) == b"put away\n"
assert said_after(signal.SIGTERM) == b""
# ANCHOR_END: changes
