//! Draws a run as SVG that a page can include: no fixed colours, no fixed
//! width, and the same in words.

use std::collections::BTreeSet;

use crate::run::{Bar, End, Kind, Lane, Run, Time};

/// The narrowest and the widest drawing area that readers have, in pixels: a
/// phone's 390, less the margins, and a page's column. A text is left out that
/// does not fit into the wide one, and the style hides the class `tl-wide`
/// where there is less room than that.
const NARROW: f64 = 340.0;
const WIDE: f64 = 620.0;
/// The width of a character of labels, in pixels, rather more than less.
const CHARACTER: f64 = 6.4;
/// The height of a lane: its name above, its bar below.
const LANE: usize = 36;
/// The height of the axis.
const AXIS: usize = 22;
/// More lanes than this are counted, not drawn.
const MOST: usize = 9;
/// More events of a lane than this are counted, not told.
const TOLD: usize = 14;

/// The picture of a run of a program, or of a part of it, in a `<figure>`.
pub fn figure(program: &str, part: Option<&str>, run: &Run) -> String {
    let (lanes, hidden) = pick(&run.lanes);
    let height = AXIS + LANE * lanes.len() + 4;
    let mut drawing = Drawing { run, svg: String::new() };
    drawing.axis(height);
    for (index, lane) in lanes.iter().enumerate() {
        drawing.lane(lane, AXIS + LANE * index);
    }
    let svg = drawing.svg;

    let id = match part {
        Some(part) => format!("timeline-{program}-{part}"),
        None => format!("timeline-{program}"),
    };
    let id = id.replace('_', "-");
    let title = title(run, &lanes, hidden);
    let part = part.map(|part| part.replace('_', " "));
    let part = part.map(|part| format!(", <em>{}</em>", escape(&part)));
    let part = part.unwrap_or_default();
    let without = match hidden {
        0 => String::new(),
        1 => ", without one more lane".into(),
        n => format!(", without {n} more lanes"),
    };
    let program = escape(program);
    let legend = legend(&lanes);
    let words = lanes.iter().map(|lane| {
        let words = in_words(run, lane);
        format!("<li>{}</li>\n", escape(&words))
    });
    let words: String = words.collect();
    format!(
        "<figure class=\"timeline\">\n\
         <svg class=\"timeline\" xmlns=\"http://www.w3.org/2000/svg\" \
         role=\"img\" aria-labelledby=\"{id}\" width=\"100%\" \
         height=\"{height}\" font-size=\"11\" font-family=\"sans-serif\" \
         fill=\"currentColor\">\n\
         <title id=\"{id}\">{title}</title>\n\
         <svg x=\"1%\" width=\"97%\" overflow=\"visible\">\n\
         {svg}</svg>\n</svg>\n\
         <figcaption>A run of <em>{program}</em>{part}{without}: \
         {legend}.\n\
         <details>\n<summary>The same in words</summary>\n<ul>\n\
         {words}</ul>\n</details>\n</figcaption>\n</figure>\n"
    )
}

/// The lanes to draw, and how many are left out: of too many `main`, those with
/// which something happens, and of the others the first.
fn pick(lanes: &[Lane]) -> (Vec<&Lane>, usize) {
    let matters = |lane: &Lane| {
        matches!(lane.end, Some((_, End::Cancelled | End::Panicked)))
            || lane.bars.iter().any(|bar| bar.kind == Kind::Ready)
    };
    let (some, others): (Vec<usize>, Vec<usize>) =
        (1..lanes.len()).partition(|index| matters(&lanes[*index]));
    let mut picked = vec![0];
    picked.extend(some.iter().take(MOST / 2));
    picked.extend(others.into_iter().chain(some.into_iter().skip(MOST / 2)));
    picked.truncate(MOST);
    picked.sort_unstable();
    let hidden = lanes.len() - picked.len();
    (picked.into_iter().map(|index| &lanes[index]).collect(), hidden)
}

fn title(run: &Run, lanes: &[&Lane], hidden: usize) -> String {
    let names: Vec<_> = lanes.iter().map(|lane| lane.name.as_str()).collect();
    let count = match names.len() + hidden {
        1 => "one lane".into(),
        n => format!("{n} lanes"),
    };
    let others = if hidden > 0 { " and others" } else { "" };
    let length = time(run.end - run.start);
    let names = escape(&names.join(", "));
    format!("Timeline of {length}, {count}: {names}{others}")
}

struct Drawing<'a> {
    run: &'a Run,
    svg: String,
}

impl Drawing<'_> {
    fn push(&mut self, element: &str) {
        self.svg.push_str(element);
        self.svg.push('\n');
    }

    /// A place along the width, to a thousandth of a percent.
    fn x(&self, time: Time) -> f64 {
        let Run { start, end, .. } = self.run;
        rounded(100.0 * (time - start) as f64 / (end - start) as f64)
    }

    fn axis(&mut self, height: usize) {
        let length = self.run.end - self.run.start;
        let step = step(length);
        for tick in 0..=length / step {
            let x = self.x(self.run.start + tick * step);
            let anchor = match x {
                0.0 => "start",
                x if x > 94.0 => "end",
                _ => "middle",
            };
            let time = time(tick * step);
            self.push(&format!(
                "<line class=\"tl-grid\" x1=\"{x}%\" x2=\"{x}%\" y1=\"16\" \
                 y2=\"{height}\" stroke=\"currentColor\" \
                 stroke-opacity=\"0.15\"/><text x=\"{x}%\" y=\"11\" \
                 text-anchor=\"{anchor}\">{time}</text>"
            ));
        }
    }

    fn lane(&mut self, lane: &Lane, top: usize) {
        let bar = top + 17;
        let middle = bar + 6;
        let from = self.x(lane.start);
        let to = self.x(lane.end.map_or(self.run.end, |(at, _)| at));
        self.push(&format!(
            "<g><line class=\"tl-life\" x1=\"{from}%\" x2=\"{to}%\" \
             y1=\"{middle}\" y2=\"{middle}\" stroke=\"currentColor\" \
             stroke-opacity=\"0.4\"/>"
        ));
        for it in &lane.bars {
            self.bar(it, bar);
        }
        // A name begins where its lane does, as far as it fits there.
        let width = width_of(&lane.name);
        let room = (1.0 - width / NARROW).max(0.0) * 100.0;
        let x = from.min(rounded(room));
        let text = top + 12;
        self.push(&format!(
            "<text x=\"{x}%\" y=\"{text}\" font-weight=\"bold\">{}</text>",
            escape(&lane.name)
        ));
        if lane.starts {
            let fill = if lane.task { "currentColor" } else { "none" };
            let ring = format!(
                "<circle r=\"3.5\" cy=\"{middle}\" stroke=\"currentColor\" \
                 fill=\"{fill}\"/>"
            );
            self.at(from, &ring);
        }
        // A mark is named where there is room for it, and no other of its name
        // before it.
        let mut named = BTreeSet::new();
        let mut free = x / 100.0 * NARROW + width + 10.0;
        for mark in &lane.marks {
            let x = self.x(mark.time);
            let what = escape(&mark.what);
            let sign = match mark.ended {
                Some(_) => cross(bar, &what),
                None => format!(
                    "<path class=\"tl-call\" d=\"M0 {} l-4 7 h8 z\">\
                     <title>{what}</title></path>",
                    bar + 7
                ),
            };
            self.at(x, &sign);
            let width = width_of(&mark.what);
            let left = x / 100.0 * NARROW;
            let (anchor, left) = if left + width > NARROW {
                ("end", left - width)
            } else {
                ("start", left)
            };
            if left >= free && named.insert(&mark.what) {
                free = left + width + 10.0;
                self.push(&format!(
                    "<text x=\"{x}%\" y=\"{text}\" text-anchor=\"{anchor}\">\
                     {what}</text>"
                ));
            }
        }
        match lane.end {
            Some((_, End::Done)) => {
                let upright = format!(
                    "<path d=\"M0 {bar} v12\" stroke=\"currentColor\" \
                     stroke-width=\"2\"/>"
                );
                self.at(to, &upright);
            }
            Some((_, how)) => self.at(to, &cross(bar, ended(how))),
            None => {}
        }
        self.push("</g>");
    }

    /// A sign at a place along the width, drawn around x = 0.
    fn at(&mut self, x: f64, sign: &str) {
        self.push(&format!(
            "<svg x=\"{x}%\" overflow=\"visible\">{sign}</svg>"
        ));
    }

    fn bar(&mut self, bar: &Bar, top: usize) {
        let x = self.x(bar.start);
        let width = rounded(self.x(bar.end) - x);
        let (class, y, height, paint) = match bar.kind {
            Kind::Works => ("tl-works", top, 12, "fill-opacity=\"0.35\""),
            Kind::Waits => ("tl-waits", top + 4, 4, "fill-opacity=\"0.6\""),
            Kind::Ready => (
                "tl-ready",
                top + 1,
                10,
                "fill=\"none\" stroke=\"currentColor\" \
                 stroke-dasharray=\"3 2\"",
            ),
        };
        self.push(&format!(
            "<rect class=\"{class}\" x=\"{x}%\" width=\"{width}%\" y=\"{y}\" \
             height=\"{height}\" {paint}><title>{}</title></rect>",
            escape(&did(self.run, bar))
        ));
        let needed = width_of(&bar.what) + 6.0;
        let fits = |area| needed <= width / 100.0 * area;
        if bar.kind == Kind::Works && fits(WIDE) {
            let class = if fits(NARROW) { "tl-in" } else { "tl-in tl-wide" };
            let middle = rounded(x + width / 2.0);
            self.push(&format!(
                "<text class=\"{class}\" x=\"{middle}%\" y=\"{}\" \
                 text-anchor=\"middle\">{}</text>",
                top + 10,
                escape(&bar.what)
            ));
        }
    }
}

fn cross(top: usize, what: &str) -> String {
    format!(
        "<path class=\"tl-cross\" d=\"M-5 {} l10 10 m0 -10 l-10 10\" \
         stroke=\"currentColor\" stroke-width=\"2.5\"><title>{what}</title>\
         </path>",
        top + 1
    )
}

fn width_of(text: &str) -> f64 {
    CHARACTER * text.chars().count() as f64
}

fn rounded(percent: f64) -> f64 {
    (percent * 1_000.0).round() / 1_000.0
}

const NANOSECOND: (Time, &str) = (1, "ns");
const SECOND: Time = 1_000_000_000;
const UNITS: [(Time, &str); 5] = [
    (3_600 * SECOND, "h"),
    (60 * SECOND, "min"),
    (SECOND, "s"),
    (SECOND / 1_000, "ms"),
    (SECOND / 1_000_000, "µs"),
];

/// The largest unit that fits in.
fn unit(time: Time) -> (Time, &'static str) {
    let fits = |(unit, _): &&(Time, &str)| time >= *unit;
    *UNITS.iter().find(fits).unwrap_or(&NANOSECOND)
}

/// A round part of a length, which has at most five of them.
fn step(length: Time) -> Time {
    const ROUND: [Time; 6] = [1, 2, 5, 10, 15, 30];
    // A little more than one minute is counted in seconds.
    let mut scale = unit(length / 2).0;
    // Halves and quarters are round of hours and minutes only.
    let round = if scale < SECOND { &ROUND[..3] } else { &ROUND };
    loop {
        for round in round {
            if length / (scale * round) <= 5 {
                return scale * round;
            }
        }
        scale *= 10;
    }
}

/// `0`, `50 ms`, `1.5 s`, `10 min 11 s`, `24 h`.
fn time(time: Time) -> String {
    if time == 0 {
        return "0".into();
    }
    if time >= 60 * SECOND {
        let mut rest = time;
        let mut parts = Vec::new();
        for (unit, name) in &UNITS[..3] {
            if rest >= *unit {
                parts.push(format!("{} {name}", rest / unit));
            }
            rest %= unit;
        }
        return parts.join(" ");
    }
    let (unit, name) = unit(time);
    let value = format!("{:.3}", time as f64 / unit as f64);
    let value = value.trim_end_matches('0').trim_end_matches('.');
    format!("{value} {name}")
}

fn did(run: &Run, bar: &Bar) -> String {
    let from = time(bar.start - run.start);
    let to = time(bar.end - run.start);
    let what = &bar.what;
    match bar.kind {
        Kind::Works => format!("{from} to {to}: {what}"),
        Kind::Waits => format!("{from} to {to}: waits for {what}"),
        Kind::Ready => format!("{from} to {to}: {what} is ready, not polled"),
    }
}

fn ended(how: End) -> &'static str {
    match how {
        End::Done => "returns",
        End::Cancelled => "cancelled",
        End::Panicked => "panics",
    }
}

/// What there is to explain of what is drawn, by sign and meaning.
fn legend(lanes: &[&Lane]) -> String {
    let any = |of: &dyn Fn(&Lane) -> bool| lanes.iter().any(|lane| of(lane));
    let bar = |kind| any(&|lane| lane.bars.iter().any(|bar| bar.kind == kind));
    let end = |how| {
        any(&|lane| {
            let inside = lane.marks.iter().filter_map(|mark| mark.ended);
            inside.chain(lane.end.map(|(_, how)| how)).any(|end| end == how)
        })
    };
    let calls = any(&|lane| lane.marks.iter().any(|m| m.ended.is_none()));
    let tasks = any(&|lane| lane.starts && lane.task);
    let futures = any(&|lane| lane.starts && !lane.task);
    let signs = [
        (tasks, "", "●", "a task starts"),
        (futures, "", "○", "a future within a task starts"),
        (bar(Kind::Works), "works", "▆", "a sleep, mostly in place of work"),
        (bar(Kind::Waits), "waits", "━", "waits"),
        (bar(Kind::Ready), "ready", "┅", "could go on, but nobody polls it"),
        (calls, "call", "▲", "a call"),
        (end(End::Done), "", "┃", "returned"),
        (end(End::Cancelled), "ready", "✕", "cancelled"),
        (end(End::Panicked), "ready", "✕", "a panic"),
    ];
    let signs = signs.iter().filter(|(shown, ..)| *shown);
    let signs: Vec<_> = signs
        .map(|(_, class, sign, meaning)| {
            format!(
                "<span class=\"tl-key {class}\" aria-hidden=\"true\">{sign}\
                 </span> {meaning}"
            )
        })
        .collect();
    signs.join(", ")
}

fn in_words(run: &Run, lane: &Lane) -> String {
    let mut events: Vec<(Time, usize, String)> = Vec::new();
    if lane.starts {
        let from = time(lane.start - run.start);
        events.push((lane.start, 0, format!("{from}: starts")));
    }
    for bar in &lane.bars {
        events.push((bar.start, 2, did(run, bar)));
    }
    for mark in &lane.marks {
        let at = time(mark.time - run.start);
        events.push((mark.time, 1, format!("{at}: {}", mark.what)));
    }
    events.sort_by_key(|(at, class, _)| (*at, *class));
    let mut told: Vec<_> = events.into_iter().map(|(.., what)| what).collect();
    if told.len() > TOLD {
        let more = told.len() - TOLD;
        told.truncate(TOLD);
        told.push(format!("and {more} more"));
    }
    told.push(match lane.end {
        Some((at, how)) => {
            format!("{}: {}", time(at - run.start), ended(how))
        }
        None => "goes on".into(),
    });
    format!("{}. {}.", lane.name, told.join("; "))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
