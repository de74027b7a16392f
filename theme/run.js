// Runs the program that a page shows, on the server that serves the page. The
// server adds this file itself; a book from any other host has no Run button.
// After theme/cookbook.js, whose bar over the block takes the button.
(() => {
"use strict";

const RUN = /^\$ cargo run --example (\w+)\n/;

const seconds = number => `${number.toFixed(number < 1 ? 3 : 1)} s`;

// The text for the last line of a response; undefined for any other line.
function ending(event) {
    if ("exit" in event) {
        return `Exit status ${event.exit} after ${seconds(event.seconds)}`;
    }
    if ("signal" in event) {
        return `Ended by signal ${event.signal} after ${seconds(event.seconds)}`;
    }
    if ("stopped" in event) {
        const why = event.stopped === "time" ? "ran too long" : "printed too much";
        return `Stopped after ${seconds(event.seconds)}: it ${why}`;
    }
    return event.failed;
}

// The lines of an answer, each as soon as it is there.
async function* events(body) {
    let rest = "";
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        const lines = (rest + value).split("\n");
        rest = lines.pop();
        for (const line of lines) yield JSON.parse(line);
    }
}

function element(name, attributes) {
    return Object.assign(document.createElement(name), attributes);
}

class Program {
    constructor(pre, name) {
        this.pre = pre;
        this.name = name;
        this.button = element("button", { type: "button" });
        this.button.addEventListener("click", () => {
            if (this.running) this.running.abort();
            else this.run();
        });
        this.offer("Run");
        pre.querySelector(".buttons").append(this.button);
    }

    offer(what) {
        this.button.textContent = what;
        this.button.ariaLabel = `${what} ${this.name}`;
    }

    // An empty place for the output; made by the first run.
    clear() {
        if (!this.output) {
            this.output = element("pre", { role: "log", tabIndex: 0 });
            this.output.ariaLabel = `Output of ${this.name}`;
            this.status = element("p", { role: "status" });
            const place = element("div", { className: "run" });
            place.append(this.output, this.status);
            this.pre.after(place);
        }
        this.output.replaceChildren();
        this.last = null;
    }

    // As text: what a program prints is never part of the page.
    write(stream, text) {
        const follows = this.output.scrollHeight - this.output.scrollTop
            - this.output.clientHeight < 4;
        if (this.last?.className !== stream) {
            this.last = element("span", { className: stream });
            if (stream === "stderr") {
                this.last.append(element("small", { textContent: stream }));
            }
            this.output.append(this.last);
        }
        this.last.append(text);
        if (follows) this.output.scrollTop = this.output.scrollHeight;
    }

    // Shows one line of the answer; true after the last.
    show(event) {
        if ("stdout" in event) this.write("stdout", event.stdout);
        if ("stderr" in event) this.write("stderr", event.stderr);
        // The first one builds the crates of all recipes.
        const first = "Building; the first time takes minutes";
        if ("building" in event) this.status.textContent = `${first} …`;
        if ("progress" in event) {
            this.status.textContent = `${first}: ${event.progress}`;
        }
        if ("started" in event) this.status.textContent = "Running …";
        const end = ending(event);
        if (end) this.status.textContent = end;
        return Boolean(end);
    }

    async run() {
        this.running = new AbortController();
        this.offer("Stop");
        this.clear();
        this.status.textContent = "Waiting for the server …";
        try {
            this.status.textContent = await this.answer();
        } catch {
            this.status.textContent = this.running.signal.aborted
                ? "Stopped by you"
                : "The server does not answer. Start it again: cargo run";
        }
        this.running = null;
        this.offer("Run");
    }

    // Follows a run to its end, and returns what to say of it.
    async answer() {
        const { signal } = this.running;
        const response = await fetch(`/run/${this.name}`,
            { method: "POST", signal });
        if (!response.ok) {
            return `Refused (${response.status}): ${await response.text()}`;
        }
        for await (const event of events(response.body)) {
            if (this.show(event)) return this.status.textContent;
        }
        return "The server ended the answer before the program had ended";
    }
}

const programs = [];
for (const code of document.querySelectorAll("main code.language-console")) {
    const [, name] = code.textContent.match(RUN) ?? [];
    if (name) programs.push(new Program(code.parentNode, name));
}
// The server ends a program whose reader has gone.
addEventListener("pagehide", () => {
    for (const { running } of programs) running?.abort();
});
})();
