//! What a recorded run says: its lanes, and what each did when.

use std::collections::BTreeMap;

/// Nanoseconds of the runtime's clock, since the run began.
pub type Time = u128;

/// The part of a run that is drawn.
#[derive(Debug)]
pub struct Run {
    pub start: Time,
    pub end: Time,
    /// `main` first, the others as they start.
    pub lanes: Vec<Lane>,
}

/// A future that goes its own way: a task, or one of several in a task.
#[derive(Debug)]
pub struct Lane {
    pub name: String,
    /// A task of its own, rather than a part of one.
    pub task: bool,
    pub start: Time,
    /// Whether it has started within this part of the run.
    pub starts: bool,
    /// When and how it has ended within this part of the run.
    pub end: Option<(Time, End)>,
    /// In order of their start.
    pub bars: Vec<Bar>,
    pub marks: Vec<Mark>,
}

/// What happens on a lane at one time.
#[derive(Debug, Clone)]
pub struct Mark {
    pub time: Time,
    pub what: String,
    /// How a call that the lane made has ended; `None` for what it does.
    pub ended: Option<End>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    Done,
    /// Dropped before it was done.
    Cancelled,
    Panicked,
}

/// Some time that a lane spends on one thing; longer than none.
#[derive(Debug, Clone)]
pub struct Bar {
    pub kind: Kind,
    pub start: Time,
    pub end: Time,
    pub what: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// For something that another has to do.
    Waits,
    /// A sleep: in these programs it stands for work.
    Works,
    /// Woken, and nobody polls it.
    Ready,
}

/// A place in the run: events at the same time have an order, too.
type At = (usize, Time);

#[derive(Debug)]
struct Call {
    parent: Option<usize>,
    name: String,
    arguments: String,
    start: At,
    end: Option<(At, End)>,
    marks: Vec<(At, String)>,
    waits: Vec<usize>,
}

#[derive(Debug)]
struct Wait {
    call: usize,
    branch: bool,
    text: String,
    start: At,
    /// Polled (true) or woken (false).
    polls: Vec<(At, bool)>,
    end: Option<(At, bool)>,
    /// The calls that started while it was polled.
    inside: Vec<usize>,
}

#[derive(Debug, Default)]
struct Events {
    calls: Vec<Call>,
    waits: Vec<Wait>,
    part: Option<(At, At)>,
    /// How many times the part begins.
    parts: usize,
    last: At,
}

/// Reads what the recorder has printed; of the whole run the part that the log
/// marks, or that the calls of `functions` take.
///
/// # Errors
///
/// If the part never runs, or takes no time.
pub fn read(
    log: &str,
    marked: bool,
    functions: &[String],
) -> Result<Run, String> {
    let mut events = events(log).ok_or("has not told its run to the end")?;
    if !functions.is_empty() {
        let called = |call: &&Call| functions.contains(&call.name);
        let calls = || events.calls.iter().filter(called);
        let start = calls().map(|call| call.start).min();
        let start = start.ok_or("never calls what its part is made of")?;
        let end = |call: &Call| call.end.map_or(events.last, |(at, _)| at);
        let end = calls().map(end).max().unwrap_or(start);
        events.part = Some((start, end));
    }
    if marked && events.part.is_none() {
        return Err("does not go through its part".into());
    }
    if events.parts > 1 {
        return Err("goes through its part more than once".into());
    }
    let (start, end) = events.part.unwrap_or(((0, 0), events.last));
    if end.1 <= start.1 {
        return Err("takes no time by the paused clock: there is nothing to \
                    draw"
            .into());
    }
    // Branches of a `select!` start in any order.
    let chance = |call: &Call| {
        let branch = call.parent.is_some_and(|wait| events.waits[wait].branch);
        if branch { call.name.clone() } else { String::new() }
    };
    let mut hosted = BTreeMap::<_, Vec<usize>>::new();
    for index in 0..events.calls.len() {
        hosted.entry(events.host(index)).or_default().push(index);
    }
    let mut lanes = Vec::new();
    for (host, calls) in hosted {
        let call = &events.calls[host];
        let over = call.end.is_some_and(|(at, _)| at <= start);
        if call.start < end && !over {
            let lane = events.lane(host, &calls, (start, end));
            lanes.push((call.start.1, chance(call), lane));
        }
    }
    lanes.sort_by(|(at, name, _), (other, than, _)| {
        (at, name).cmp(&(other, than))
    });
    let mut lanes: Vec<_> = lanes.into_iter().map(|(.., lane)| lane).collect();
    number(&mut lanes);
    Ok(Run { start: start.1, end: end.1, lanes })
}

/// Tells lanes of the same name apart.
fn number(lanes: &mut [Lane]) {
    let mut known = BTreeMap::<_, usize>::new();
    for lane in lanes.iter() {
        *known.entry(lane.name.clone()).or_default() += 1;
    }
    let mut seen = BTreeMap::<_, usize>::new();
    for lane in lanes {
        if known[&lane.name] > 1 {
            let nth = seen.entry(lane.name.clone()).or_default();
            *nth += 1;
            lane.name = format!("{} {nth}", lane.name);
        }
    }
}

fn events(log: &str) -> Option<Events> {
    let mut events = Events::default();
    let mut part = None;
    for (index, line) in log.lines().enumerate() {
        let fields: Vec<&str> = line.split('\t').collect();
        let at = (index, fields.get(1)?.parse().ok()?);
        let number = |field: usize| fields.get(field)?.parse::<usize>().ok();
        let text = |field: usize| fields.get(field).map(|f| (*f).to_owned());
        events.last = at;
        match *fields.first()? {
            "B" => {
                part = Some(at);
                events.parts += 1;
            }
            "Z" => events.part = part.map(|start| (start, at)),
            "L" => {
                let parent = number(3);
                if let Some(parent) = parent {
                    let call = events.calls.len();
                    events.waits.get_mut(parent)?.inside.push(call);
                }
                events.calls.push(Call {
                    parent,
                    name: text(4)?,
                    arguments: text(5)?,
                    start: at,
                    end: None,
                    marks: Vec::new(),
                    waits: Vec::new(),
                });
            }
            "E" => {
                let how = match *fields.get(3)? {
                    "done" => End::Done,
                    "cancelled" => End::Cancelled,
                    _ => End::Panicked,
                };
                events.calls.get_mut(number(2)?)?.end = Some((at, how));
            }
            "M" => {
                let marks = &mut events.calls.get_mut(number(2)?)?.marks;
                marks.push((at, text(3)?));
            }
            "W" => {
                let call = number(3)?;
                let wait = events.waits.len();
                events.calls.get_mut(call)?.waits.push(wait);
                events.waits.push(Wait {
                    call,
                    branch: *fields.get(4)? == "true",
                    text: text(5)?,
                    start: at,
                    polls: Vec::new(),
                    end: None,
                    inside: Vec::new(),
                });
            }
            event @ ("P" | "K") => {
                let polls = &mut events.waits.get_mut(number(2)?)?.polls;
                polls.push((at, event == "P"));
            }
            event @ ("R" | "X") => {
                let wait = events.waits.get_mut(number(2)?)?;
                wait.end = Some((at, event == "R"));
                // Awaited or not, a send is something that others feel.
                if event == "R" && wait.text.ends_with("send(…)") {
                    let what = wait.text.clone();
                    events.calls.get_mut(wait.call)?.marks.push((at, what));
                }
            }
            _ => return None,
        }
    }
    Some(events)
}

impl Events {
    /// The call whose lane this one is drawn in. A call that is awaited alone,
    /// as a function calls another, is a part of its caller.
    fn host(&self, mut call: usize) -> usize {
        while let Some(caller) = self.caller(call) {
            call = caller;
        }
        call
    }

    fn caller(&self, call: usize) -> Option<usize> {
        let wait = &self.waits[self.calls[call].parent?];
        // A future that is not done is dropped right after the wait.
        let within = match (&self.calls[call].end, &wait.end) {
            (Some((ends, _)), Some((end, _))) => ends.1 <= end.1,
            (_, None) => true,
            (None, Some(_)) => false,
        };
        (!wait.branch && wait.inside.len() == 1 && within).then_some(wait.call)
    }

    /// As a reader would name it: `read("Oslo")`.
    fn name(&self, call: usize) -> String {
        let Call { name, arguments, waits, .. } = &self.calls[call];
        if !name.is_empty() {
            let arguments = match arguments.as_str() {
                "" => String::new(),
                arguments => format!("({arguments})"),
            };
            return format!("{name}{arguments}");
        }
        // A block without a name is called after what it does first.
        let inside = waits.iter().flat_map(|wait| &self.waits[*wait].inside);
        let first = inside.copied().find(|of| self.caller(*of) == Some(call));
        match first {
            Some(first) => self.name(first),
            None if arguments.is_empty() => "async block".into(),
            None => arguments.clone(),
        }
    }

    /// The lane of a call, with the calls that are drawn in it.
    fn lane(&self, call: usize, calls: &[usize], (from, to): (At, At)) -> Lane {
        let host = &self.calls[call];
        let mut bars = Vec::new();
        for inner in calls {
            for wait in &self.calls[*inner].waits {
                self.bars(call, &self.waits[*wait], &mut bars);
            }
        }
        for bar in &mut bars {
            bar.start = bar.start.max(from.1);
            bar.end = bar.end.min(to.1);
        }
        bars.retain(|bar| bar.start < bar.end);
        bars.sort_by(|a, b| {
            let key = |bar: &Bar| (bar.start, bar.kind, bar.end);
            key(a).cmp(&key(b)).then_with(|| a.what.cmp(&b.what))
        });

        let mut marks = Vec::new();
        for index in calls.iter().copied() {
            let inner = &self.calls[index];
            let done = inner.marks.iter().cloned();
            marks.extend(done.map(|(at, what)| (at, what, None)));
            // What ends so with its lane goes without saying.
            let with =
                |how| host.end.is_some_and(|(_, of_host)| of_host == how);
            if let Some((at, how @ (End::Cancelled | End::Panicked))) =
                inner.end
                && index != call
                && !with(how)
            {
                let name = self.name(index);
                let what = match how {
                    End::Panicked => format!("{name} panics"),
                    _ => format!("{name} is cancelled"),
                };
                marks.push((at, what, Some(how)));
            }
        }
        marks.retain(|(at, ..)| from <= *at && *at <= to);
        marks.sort();
        let marks = marks.into_iter();
        // What ends with the part ends at the same moment, a little later.
        let ended = host.end.filter(|((_, time), _)| *time <= to.1);
        Lane {
            name: self.name(call),
            task: host.parent.is_none(),
            start: host.start.1.max(from.1),
            starts: from <= host.start,
            end: ended.map(|((_, time), how)| (time, how)),
            bars,
            marks: marks
                .map(|((_, time), what, ended)| Mark { time, what, ended })
                .collect(),
        }
    }

    /// What a wait shows on the lane that it is a part of.
    fn bars(&self, lane: usize, wait: &Wait, bars: &mut Vec<Bar>) {
        let inlined = |call: &usize| self.caller(*call) == Some(wait.call);
        if wait.inside.iter().any(inlined) {
            return; // what it waits for is drawn itself
        }
        let leaf = wait.inside.is_empty();
        let sleeps = ["sleep(…)", "sleep_until(…)"];
        let works = leaf && !wait.branch && sleeps.contains(&&*wait.text);
        let kind = if works { Kind::Works } else { Kind::Waits };
        let what = if wait.call == lane {
            wait.text.clone()
        } else {
            self.name(wait.call)
        };
        let end = wait.end.map_or(self.last, |(at, _)| at).1;
        let bar = |kind, start, end| {
            let what = what.clone();
            Bar { kind, start, end, what }
        };
        // Polled until it is woken, it waits; from then to the next poll
        // nobody asks.
        let mut since = wait.start.1;
        let mut woken = None;
        for ((_, time), polled) in &wait.polls {
            match (polled, woken) {
                (true, Some(at)) if at < *time && leaf => {
                    bars.push(bar(kind, since, at));
                    bars.push(bar(Kind::Ready, at, *time));
                    (since, woken) = (*time, None);
                }
                (true, _) => woken = None,
                (false, None) => woken = Some(*time),
                (false, Some(_)) => {}
            }
        }
        match woken {
            Some(at) if at < end && leaf => {
                bars.push(bar(kind, since, at));
                bars.push(bar(Kind::Ready, at, end));
            }
            _ => bars.push(bar(kind, since, end)),
        }
    }
}
