// What a reader can do with the programs on a page. Every page is complete
// without this file: what it adds, it adds to what mdBook has rendered.
(() => {
"use strict";

const main = document.querySelector("main");
const calm = matchMedia("(prefers-reduced-motion: reduce)");

function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
}

function button(text, label, click) {
    const made = make("button", { type: "button", "aria-label": label }, text);
    made.addEventListener("click", () => click(made));
    return made;
}

// Storage may be switched off; then nothing is remembered.
function recall(key) {
    try { return localStorage.getItem(key); } catch { return null; }
}

function remember(key, value) {
    try { localStorage.setItem(key, value); } catch { /* as above */ }
}

// mdBook turns pages with the arrow keys, wherever they are pressed.
function keepArrows(element) {
    element.addEventListener("keydown", event => {
        if (event.key.startsWith("Arrow")) event.stopPropagation();
    });
}

// ---- Copy ----------------------------------------------------------------

async function toClipboard(text, near) {
    try {
        await navigator.clipboard.writeText(text);
    } catch {
        // Without a secure connection there is only the old way.
        const area = make("textarea", { class: "unseen" });
        area.value = text;
        near.after(area);
        area.select();
        const done = document.execCommand("copy");
        area.remove();
        near.focus();
        if (!done) throw new Error("the browser does not let a page copy");
    }
}

// A button that copies what `text` returns; `what` completes its name.
function copyButton(what, text, label = "Copy") {
    return button(label, `Copy ${what}`, async pressed => {
        // Outside of an open dialog, nothing is read out.
        const place = pressed.closest("dialog") ?? main;
        let status = place.querySelector(":scope > [role=status]");
        if (!status) {
            status = make("div", { role: "status", class: "unseen" });
            place.append(status);
        }
        let result = "Copied";
        await toClipboard(text(), pressed).catch(() => { result = "Failed"; });
        pressed.firstChild.data = result;
        status.textContent = `${result}: ${what}`;
        setTimeout(() => {
            pressed.firstChild.data = label;
            status.textContent = "";
        }, 2000);
    });
}

// ---- A bar over each block -----------------------------------------------

const LANGUAGES = {
    rust: "Rust", python: "Python", console: "Terminal", toml: "Cargo.toml",
    sh: "Shell", sql: "SQL", text: "",
};

// The part to keep, if a page has one: the rest of its program is hidden.
const first = document.querySelector("main > #in-rust ~ pre > .language-rust");
const isHiding = code => code.querySelector(".boring") !== null;

const blocks = [...document.querySelectorAll("main pre > code")].map(code => {
    const classes = code.classList;
    const is = name => classes.contains(name);
    const language = Object.keys(LANGUAGES).find(l => is(`language-${l}`));
    const broken = is("compile_fail");
    // A lint's name in place of the compiler's code: it warns, and compiles.
    const refused = broken && (is("no_code")
        || [...classes].some(name => /^E\d{4}$/.test(name)));
    const keep = code === first && isHiding(code);
    const fragment = isHiding(code) && !keep;
    // A page may have more of them: these begin with their imports, too.
    const part = keep || fragment && /^use /.test(shownOf({ code }));
    const note = refused ? "does not compile" : broken ? "warned of"
        : is("test") ? "test" : fragment ? "fragment" : "";
    const whole = language === "rust" && !fragment && !broken;
    const pre = code.parentNode;
    const compiler = language === "text"
        && pre.previousElementSibling?.querySelector(":scope > .compile_fail");
    const label = compiler ? "Compiler"
        : [LANGUAGES[language], note].filter(Boolean).join(", ");
    return { code, pre, language, label, whole, fragment, keep, part, is };
});

function textOf({ code, language }) {
    const text = code.textContent;
    if (language === "console") {
        const lines = text.split("\n").filter(line => line.startsWith("$ "));
        return lines.map(line => line.slice(2)).join("\n");
    }
    return text.endsWith("\n") ? text : `${text}\n`;
}

// What a block shows without its hidden lines.
function shownOf({ code }) {
    const copy = code.cloneNode(true);
    for (const hidden of copy.querySelectorAll(".boring")) hidden.remove();
    return `${copy.textContent.trim()}\n`;
}

const NAMES = {
    rust: "the whole program", python: "the Python code",
    console: "the command", toml: "the dependencies",
};

// A program's name is in the command below it; a fragment is of the program
// that was named last.
function exampleOf(block) {
    const after = block.pre.nextElementSibling?.querySelector?.(
        ":scope > .language-console");
    return after?.textContent.match(/--(?:example|test) (\w+)/)?.[1];
}

for (const block of blocks) {
    const { pre, code, label, language } = block;
    let bar = pre.querySelector(":scope > .buttons");
    if (!bar) {
        bar = make("div", { class: "buttons" });
        pre.prepend(bar);
    }
    bar.prepend(make("span", { class: "label" }, label));
    const name = NAMES[language] ?? "the text";
    const program = language === "rust" && exampleOf(block);
    if (block.part) {
        bar.append(copyButton("the part to keep", () => shownOf(block)));
    }
    const [what, shown] = block.fragment || block.keep
        ? ["program, the whole of it", "Copy program"]
        : [program ? `${name} ${program}` : name, "Copy"];
    bar.append(copyButton(what, () => textOf(block), shown));
    keepArrows(code);
}

// What has to be scrolled must be reachable without a mouse.
const scrolling = new ResizeObserver(entries => {
    for (const { target } of entries) {
        if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
        else target.removeAttribute("tabindex");
    }
});
for (const { code } of blocks) scrolling.observe(code);

// ---- In a new project ----------------------------------------------------

// What gives a project a page's dependencies, in exactly the versions that the
// book is tested with; nothing if a line is not of a known form.
function additions(toml) {
    const known =
        /^([\w-]+) = (?:"([\d.]+)"|\{ version = "([\d.]+)", features = \[(.*)\] \})$/;
    const plain = [], featured = [];
    // A long list of features stands on lines of its own.
    const lines = toml.trim().replace(/\[\n\s+/g, "[").replace(/,\n\]/g, "]")
        .replace(/,\n\s+/g, ", ").split("\n");
    for (const line of lines.slice(1)) {
        const [, name, alone, version, features] = line.match(known) ?? [];
        if (!name) return null;
        if (alone) plain.push(` ${name}@=${alone}`);
        else {
            featured.push(`cargo add ${name}@=${version} --features `
                + features.replaceAll(/[" ]/g, ""));
        }
    }
    if (plain.length) featured.unshift(`cargo add${plain.join("")}`);
    return featured.join(" &&\n");
}

// What a program of this page needs beside it when it is compiled.
function besides() {
    const files = Object.entries(window.cookbookFiles?.[page] ?? {});
    if (!files.length) return [];
    const folders = new Set(files.map(([file]) => file.replace(/\/[^/]*$/, "")));
    const names = [...folders].join(" ");
    const write = files.map(([file, text]) =>
        `cat > ${file} <<'EOF' &&\n${text.trimEnd()}\nEOF`);
    // Ends with a command, which the next step can follow.
    return [["Write the files that it is compiled with",
        [`mkdir ${names} &&`, ...write, `ls ${names}`].join("\n")]];
}

function commands(block, dependencies) {
    const page = location.pathname.match(/([^/]*?)(?:\.html)?$/)[1];
    const name = exampleOf(block) ?? page.replaceAll("-", "_");
    const test = block.is("test");
    const file = test ? "src/lib.rs" : "src/main.rs";
    return [
        ["Make a project", `cargo new ${test ? "--lib " : ""}${name} && cd ${name}`],
        ["Add what it depends on", dependencies],
        ...besides(),
        ["Write the program and run it", `cat > ${file} <<'EOF' &&\n`
            + `${textOf(block)}EOF\ncargo ${test ? "test" : "run"}`],
    ];
}

function openProject(block, dependencies) {
    const steps = commands(block, dependencies);
    const count = { 3: "three", 4: "four" }[steps.length];
    const paused = textOf(block).includes("start_paused = true");
    const close = button("Close", "Close", () => dialog.close());
    // Each only after the one before: never into a folder that is not new.
    const all = steps.map(([, command]) => command).join(" &&\n") + "\n";
    const dialog = make("dialog", {
        class: "project", "aria-labelledby": "new-project", closedby: "any",
    },
    make("h2", { id: "new-project" }, "In a new project"),
    make("p", {}, `${count[0].toUpperCase()}${count.slice(1)} steps for a `
        + "shell, with the versions that the program is tested with.", paused ? " Its clock is paused, so that "
        + "it ends at once: leave out start_paused and test-util when it "
        + "makes real calls." : ""),
    make("ol", {}, ...steps.map(([title, command]) => {
        const code = make("code", { tabindex: "0" }, command);
        const bar = make("div", { class: "buttons" }, make("span",
            { class: "label" }, title), copyButton(`“${title}”`, () => command));
        return make("li", {}, make("pre", {}, bar, code));
    })),
    make("div", { class: "actions" },
        copyButton(`all ${count}`, () => all, `Copy all ${count}`), close));
    // No key in here is one of mdBook's.
    dialog.addEventListener("keydown", event => event.stopPropagation());
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
}

const manifests = blocks.filter(block => block.language === "toml"
    && block.code.textContent.startsWith("[dependencies]\n"));
// The page to print has the lists of all pages.
if (manifests.length === 1) {
    const dependencies = additions(manifests[0].code.textContent);
    for (const block of dependencies ? blocks : []) {
        if (!block.whole) continue;
        const name = exampleOf(block) ?? "this program";
        block.pre.querySelector(".buttons").append(button("New project",
            `New project: the commands that make one of ${name}`,
            () => openProject(block, dependencies)));
    }
}

// ---- Python beside Rust --------------------------------------------------

const panels = {};
let tabs = [];

// A heading and what follows it, up to the next one.
function section(heading) {
    const panel = make("section", {
        class: "panel", role: "tabpanel", id: `panel-${heading.id}`,
        "aria-labelledby": heading.id,
    });
    heading.before(panel);
    do {
        panel.append(panel.nextSibling);
    } while (panel.nextSibling && panel.nextSibling.nodeName !== "H2");
    return panel;
}

function choose(view) {
    for (const [language, panel] of Object.entries(panels)) {
        // Not seen, but found by a search in the page.
        if (view === "both" || view === language) panel.hidden = false;
        else panel.setAttribute("hidden", "until-found");
    }
    for (const tab of tabs) {
        const chosen = tab.dataset.view === view;
        tab.setAttribute("aria-selected", chosen);
        tab.tabIndex = chosen ? 0 : -1;
    }
    panels.python.parentNode.dataset.view = view;
}

// Opens the panel that an element lies in, if it is closed.
function reveal(element) {
    for (const [language, panel] of Object.entries(panels)) {
        if (panel.hidden && panel.contains(element)) choose(language);
    }
}

function turnTabs(event) {
    const at = tabs.indexOf(event.target);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 };
    if (!(event.key in to)) return;
    event.preventDefault();
    const tab = tabs.at(to[event.key] % tabs.length);
    tab.focus();
    tab.click();
}

function pair(python, rust) {
    panels.python = section(python);
    panels.rust = section(rust);
    const { python: { id: left }, rust: { id: right } } = panels;
    const views = { python: left, rust: right, both: `${left} ${right}` };
    tabs = Object.entries(views).map(([view, ids]) => {
        const name = view[0].toUpperCase() + view.slice(1);
        const tab = make("button", {
            type: "button", role: "tab", "aria-controls": ids,
            "data-view": view,
        }, name);
        tab.addEventListener("click", () => {
            choose(view);
            remember("cookbook-view", view);
        });
        return tab;
    });
    const list = make("div", { class: "tabs", role: "tablist",
        "aria-label": "Which program to show" }, ...tabs);
    keepArrows(list);
    list.addEventListener("keydown", turnTabs);
    panels.python.before(list);
    const both = make("div", { class: "pair" });
    panels.python.before(both);
    both.append(panels.python, panels.rust);
    for (const panel of Object.values(panels)) {
        panel.addEventListener("beforematch", () => reveal(panel.firstChild));
    }
    // On a phone the two lie far apart; elsewhere nothing need be hidden.
    const phone = matchMedia("(max-width: 620px)").matches;
    const last = recall("cookbook-view");
    choose(last in views ? last : phone ? "rust" : "both");

    const target = () =>
        document.getElementById(decodeURIComponent(location.hash.slice(1)));
    reveal(target());
    addEventListener("hashchange", () => {
        reveal(target());
        target()?.scrollIntoView();
    });
    // Before the browser goes there; also where the hash stays the same.
    document.addEventListener("click", event => {
        const link = event.target.closest?.("a[href*='#']");
        if (link && link.pathname === location.pathname) {
            reveal(document.getElementById(
                decodeURIComponent(link.hash.slice(1))));
        }
    });
}

const headings = id => document.querySelectorAll(`main > h2#${id}`);
const [pythons, rusts] = [headings("in-python"), headings("in-rust")];
if (pythons.length === 1 && rusts.length === 1) pair(pythons[0], rusts[0]);

// ---- Matching parts ------------------------------------------------------

// Lays a band over the lines of each part, and a button beside its first one.
function showParts(parts) {
    const sides = Object.entries(panels).map(([language, panel]) => {
        const { pre, code } = blocks.find(block =>
            block.language === language && panel.contains(block.code));
        return { language, pre, code, bands: [] };
    });
    const mark = index => {
        for (const { bands } of sides) {
            bands.forEach((b, i) => b.classList.toggle("on", i === index));
        }
    };
    for (const [at, side] of sides.entries()) {
        const { language, pre, code } = side;
        const other = sides[1 - at];
        side.bands = parts.map((part, index) => {
            const [first, last] = part[language];
            const name = `Part ${index + 1}, ${part.name.replaceAll("_", " ")}`
                + `: show in ${LANGUAGES[other.language]}`;
            const number = button(`${index + 1}`, name, () => {
                const there = other.bands[index];
                reveal(there);
                there.firstChild.focus({ preventScroll: true });
                there.scrollIntoView({
                    block: "center", behavior: calm.matches ? "auto" : "smooth",
                });
            });
            number.title = name;
            number.addEventListener("focus", () => mark(index));
            number.addEventListener("blur", () => mark(-1));
            const band = make("div", { class: "band" }, number);
            const near = parts.some(({ [language]: [line] }) =>
                Math.abs(line - first) === 1);
            if (near && first % 2) band.classList.add("aside");
            band.style.setProperty("--first", first);
            band.style.setProperty("--lines", last - first + 1);
            return band;
        });
        const layer = make("div", { class: "parts" }, ...side.bands);
        code.before(layer);
        pre.classList.add("with-parts");
        pre.addEventListener("pointermove", event => {
            const style = getComputedStyle(code);
            const top = code.getBoundingClientRect().top
                + parseFloat(style.paddingTop);
            const line = (event.clientY - top) / parseFloat(style.lineHeight);
            mark(parts.findLastIndex(({ [language]: [first, last] }) =>
                first <= line && line < last + 1));
        });
        pre.addEventListener("pointerleave", () =>
            mark(side.bands.indexOf(document.activeElement.parentNode)));
    }
}

const root = new URL(path_to_root || ".", location.href).pathname;
const page = location.pathname.slice(root.length).replace(/(\.html)?$/, ".html");
const parts = window.cookbookParts?.[page];
if (parts && panels.rust) showParts(parts);

// ---- What mdBook's own controls lack -------------------------------------

// A way past the table of contents.
const text = document.querySelector("main > h1");
if (text) {
    text.tabIndex = -1;
    // The whole address: the 404 page has another base.
    const skip = make("a", { class: "skip", href: `${location.pathname}#${text.id}` },
        "Skip to the text");
    skip.addEventListener("click", () => text.focus());
    document.body.prepend(skip);
}

// Who has found a page by one of its names in the search wants to read it.
if (location.hash === "#keywords" && location.search) {
    addEventListener("load", () => scrollTo(0, 0));
}

// The book's name is on every page, the page's own heading comes first; and
// what stands around the page has places that a screen reader can go to.
document.querySelector(".menu-title").setAttribute("role", "presentation");
document.getElementById("mdbook-menu-bar").setAttribute("role", "banner");
document.getElementById("mdbook-search-wrapper").setAttribute("role", "search");

// The sidebar's switch is a label, which no key reaches: a button before it.
const label = document.getElementById("mdbook-sidebar-toggle");
const shown = document.getElementById("mdbook-sidebar-toggle-anchor");
const toggle = button("", "Table of contents", () => label.click());
toggle.className = "icon-button";
toggle.append(...label.childNodes);
toggle.setAttribute("aria-controls", "mdbook-sidebar");
const tell = () => toggle.setAttribute("aria-expanded", shown.checked);
shown.addEventListener("change", tell);
tell();
label.before(toggle);
label.classList.add("hidden");

// The page for wrong addresses has a <base>: its headings' links lead home.
if (document.querySelector("base")) {
    for (const link of document.querySelectorAll("main a.header")) {
        link.href = location.pathname + link.hash;
    }
}

// Previous and next by name: the names are in the table of contents.
const contents = [...document.querySelectorAll("#mdbook-sidebar a")];
for (const link of document.querySelectorAll(".mobile-nav-chapters")) {
    const entry = contents.find(({ href }) => href === link.href);
    if (!entry) continue;
    const title = entry.textContent.replace(/^[\d.\s]+/, "");
    const way = link.rel.startsWith("prev") ? "Previous " : "Next ";
    link.append(make("span", {}, make("small", {}, way), title));
    link.removeAttribute("aria-label");
    link.removeAttribute("title");
}

// ---- Names that are looked up in the dictionary ---------------------------

/** The dictionary, whose script is loaded when somebody asks for a name. */
const dictionary = (() => {
    let loading;
    const load = resolve => {
        const src = `${path_to_root}reference/dictionary.js`;
        const script = make("script", { src });
        script.addEventListener("load", () => {
            resolve(indexed(window.cookbookDictionary));
        });
        document.head.append(script);
    };
    return () => loading ??= new Promise(load);
})();

/** The rows as objects, and where their names are. */
function indexed({ packages, sections, rows }) {
    const byName = new Map();
    for (const [at, names, rust, differs, recipes] of rows) {
        const [library, group, href] = sections[at];
        const row = { names, rust, differs, recipes, library, group, href };
        for (const name of names) byName.set(name.replace(/[<>]/g, ""), row);
    }
    const families = [...byName.keys()].filter(name => name.endsWith("*"));
    return { packages, byName, families };
}

/** The name that has a row: this one, or the class that it is a part of. */
function known({ byName, families }, name) {
    const row = part => byName.get(part) ?? byName.get(
        families.find(family => part.startsWith(family.slice(0, -1))),
    );
    for (let part = name; part; part = part.replace(/\.?[^.]*$/, "")) {
        const isClass = /(^|\.)[A-Z]\w*$/.test(part);
        if ((part === name || isClass) && row(part)) return [part, row(part)];
    }
}

/** The full name of each name that Python imports. */
function importsOf(python) {
    const names = new Map();
    const list = text => text.replace(/[()\\]/g, " ").split(",");
    const alias = item => item.trim().split(/\s+as\s+/);
    for (const [, modules] of python.matchAll(/^\s*import\s+([^;\n]+)/gm)) {
        for (const [module, as] of list(modules).map(alias)) {
            const root = module.split(".")[0];
            names.set(as ?? root, as ? module : root);
        }
    }
    const from = /^\s*from\s+([\w.]+)\s+import\s+(\([^)]*\)|[^;\n]+)/gm;
    for (const [, module, members] of python.matchAll(from)) {
        for (const [name, as] of list(members).map(alias)) {
            if (name) names.set(as ?? name, `${module}.${name}`);
        }
    }
    return names;
}

/** Python without its comments and strings. */
function bare(python) {
    const text = /("""|''')[^]*?\1|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|#.*/g;
    return python.replace(text, " ");
}

/** The rows for a piece of Python, those of the most uses first. */
function rowsFor(python, entries) {
    const found = new Map();
    const add = (name, row) => {
        const uses = found.get(name)?.uses ?? 0;
        found.set(name, { name, row, uses: uses + 1 });
    };
    const code = bare(python);
    const imports = importsOf(code);
    const imported = [...imports.values()];
    for (const name of entries.packages) {
        const root = name.split(".")[0];
        if (!imports.has(root)) imports.set(root, root);
    }
    const body = code.replace(/^\s*(from\s.*?\s)?import\s+(\([^)]*\)|.*)/gm, "");
    for (const [word] of body.matchAll(/(?<![\w.])[A-Za-z_]\w*(\s*\.\s*\w+)*/g)) {
        const [root, ...rest] = word.split(/\s*\.\s*/);
        if (!imports.has(root)) continue;
        const hit = known(entries, [imports.get(root), ...rest].join("."));
        if (hit) add(...hit);
    }
    for (const name of imported) {
        const row = entries.byName.get(name);
        if (row && name.includes(".") && !found.has(name)) add(name, row);
    }
    const alone = /^[\w. ]+$/.test(code.trim()) ? code.trim() : "";
    for (const { name, row } of alone ? named(alone, entries) : []) {
        if (!found.has(name)) add(name, row);
    }
    return [...found.values()].sort((a, b) => b.uses - a.uses);
}

/** The rows of a name, or of its last part. The shortest name first. */
function named(text, entries) {
    const name = text.trim();
    const found = known(entries, name);
    const hits = found ? [{ name, row: found[1] }] : [];
    if (name.length < 3) return hits;
    const ends = [...entries.byName.keys()].filter(other => {
        return other !== name && other.endsWith(`.${name}`);
    });
    ends.sort((a, b) => a.length - b.length);
    for (const other of ends) {
        const row = entries.byName.get(other);
        if (!hits.some(hit => hit.row === row)) hits.push({ name: other, row });
    }
    return hits;
}

/** Markdown of one line: code, and links. */
function inline(markdown) {
    const span = document.createElement("span");
    for (const part of markdown.split(/(`[^`]*`|\[(?:`[^`]*`|[^\]])*\]\([^)]*\))/)) {
        const [, text, href] = part.match(/^\[(.*)\]\((.*)\)$/) ?? [];
        if (href) {
            const link = make("a", { href });
            link.append(inline(text));
            span.append(link);
        } else if (part.startsWith("`")) {
            span.append(make("code", {}, part.slice(1, -1)));
        } else {
            span.append(part);
        }
    }
    return span;
}

/** A table of rows, as the dictionary's own pages have it. */
function tableOf(found) {
    const table = make("table");
    const head = table.createTHead().insertRow();
    for (const title of ["Python", "Rust", "What is different", "Recipe"]) {
        head.append(make("th", {}, title));
    }
    const body = table.createTBody();
    for (const { name, row } of found) {
        const line = body.insertRow();
        line.insertCell().append(make("code", {}, name));
        line.insertCell().append(inline(row.rust ?? "none"));
        line.insertCell().append(inline(row.differs));
        const last = line.insertCell();
        for (const [title, page] of row.recipes) {
            if (last.hasChildNodes()) last.append(", ");
            last.append(make("a", { href: path_to_root + page }, title));
        }
    }
    const wrapper = make("div", { class: "table-wrapper" });
    wrapper.append(table);
    return wrapper;
}

const port = document.querySelector("main .port");
if (port) {
    const box = make("textarea", { rows: 8, spellcheck: "false", id: "python" });
    const label = make("label", { for: "python" }, "Python code, or a name");
    const result = make("div", { role: "status" });
    port.append(label, box, result);
    box.addEventListener("input", async () => {
        const text = box.value;
        const found = text.trim() ? rowsFor(text, await dictionary()) : [];
        // Typed on, meanwhile.
        if (text !== box.value) return;
        result.replaceChildren();
        if (found.length > 0) {
            result.append(tableOf(found));
        } else if (text.trim()) {
            result.append("The dictionary has no name that is in this text.");
        }
    });
}

// A name of Python that is typed into the search has its row above the hits.
const bar = document.getElementById("mdbook-searchbar");
const hits = document.getElementById("mdbook-searchresults");
if (bar && hits) {
    const rows = make("ul", { id: "names", "aria-label": "In the dictionary" });
    hits.before(rows);
    const show = async () => {
        const text = bar.value;
        const isName = /^[\w.]{3,}$/.test(text.trim());
        const found = isName ? named(text, await dictionary()).slice(0, 3) : [];
        if (text !== bar.value) return;
        rows.replaceChildren(...found.map(({ name, row }) => {
            const [path, heading] = row.href.split("#");
            const query = `?highlight=${encodeURIComponent(name)}`;
            const href = `${path_to_root}${path}${query}#${heading}`;
            const link = make("a", { href }, make("code", {}, name), " → ");
            const rust = inline(row.rust ?? "no counterpart");
            // A link has no links in it.
            for (const inner of rust.querySelectorAll("a")) {
                inner.replaceWith(...inner.childNodes);
            }
            link.append(rust);
            return make("li", {}, link);
        }));
    };
    bar.addEventListener("keyup", show);
    bar.addEventListener("input", show);
}
})();
