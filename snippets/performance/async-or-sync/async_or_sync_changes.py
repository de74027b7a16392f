import errno


def on_a_full_disk():
    # ANCHOR: full
    written = False
    try:
        with open("/dev/full", "w") as label:
            label.write("PARCEL")
            written = True
        raise AssertionError("leaving the block writes, and raises")
    except OSError as error:
        assert written and error.errno == errno.ENOSPC
    # ANCHOR_END: full


on_a_full_disk()
