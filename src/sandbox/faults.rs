//! What shall go wrong, and where: one rule a line.
//!
//! ```text
//! RULE      = OPERATION [ "@" N [ "-" M ] ] ":" FAULT [ ";" OPTION ]
//! OPERATION = create | list | get | update | delete | voices | conversation | pals | any
//! ```
//!
//! `@2` is the second request of the operation after the rule was given, `@1-3` the first three; without either, all.
//! See [`FAULTS`] for what can follow the colon. Durations are `250ms`, `2s`, `5m` or `1h`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use unicode_normalization::UnicodeNormalization;

/// The faults a rule can name, with what they do.
pub const FAULTS: &[(&str, &str)] = &[
    ("400 ... 599", "that status; nothing happened. `;after-effect`: it did. `;retry-after=1` adds the header"),
    ("html", "502 with an HTML page; nothing happened. `;after-effect`: it did"),
    ("html200", "it happens; the answer is 200 with an HTML page"),
    ("drop-after-effect", "it happens, then the connection is closed without a byte of answer"),
    ("drop-before-effect", "the connection is closed without a byte of answer; nothing happened"),
    ("late-effect=30s", "the connection is closed at once; it happens that much later on the sandbox's clock"),
    ("truncate", "it happens; the answer stops half-way through its body"),
    ("half-pair", "it happens; the first name in the answer begins with half of a surrogate pair, which is no text"),
    ("hang", "it happens; no answer for 120 s, then the connection is closed"),
    ("slow=2s", "it happens; the answer comes that much later, in real time"),
    ("redirect", "307 to the legacy path, where the same request would take effect"),
    ("shrink", "list only: a row vanishes between the first page and the others, which skip one row"),
    ("grow", "list only: a row appears between the first page and the others, which repeat one row"),
    ("reorder", "list only: even pages are cut from the reversed listing"),
    ("lag=60s", "list, always: new faces show in listings that much later on the sandbox's clock"),
    ("max-limit=50", "list, always: pages are never longer than that, whatever is asked for"),
    ("still-listed", "delete, always: deleted faces stay in listings"),
    ("no-content", "delete, always: 204 without a body"),
    (
        "unknown-is-400",
        "get, always: 400 `Invalid face_id` instead of 404 for a face that is not there, also to PATCH and DELETE",
    ),
    ("status-word=queued", "get, always: that word instead of `started`"),
    ("gap=60s", "get, always: a fresh phoenix-4.5 preview shows a null finetune_status for so long"),
    ("slots=3", "create, always: 402 once the account has that many faces"),
    ("concurrent=2", "create, always: 400 while that many trainings run"),
    ("conflict", "pals, always: 409 maker_changes on a change without force=true"),
    ("envelope", "pals, always: a single PAL comes inside a `data` array"),
    ("names=nfc", "any, always: names are stored in that normal form: nfc, nfd or nfkc"),
    ("callback-drop", "any, always: callbacks are not sent"),
    ("callback-repeat", "any, always: callbacks are sent twice"),
    ("callback-reorder", "any, always: callbacks that fall due together are sent latest first"),
    ("callback-new-words", "any, always: callbacks say face_id, completed, finetune_status"),
];

/// What a request does, as far as faults and counts go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// `POST /v2/faces`.
    Create,
    /// `GET /v2/faces`.
    List,
    /// `GET /v2/faces/{id}`.
    Get,
    /// `PATCH /v2/faces/{id}` and its `/name`.
    Update,
    /// `DELETE /v2/faces/{id}`.
    Delete,
    /// Everything under `/v2/voices`.
    Voices,
    /// Everything under `/v2/conversations`.
    Conversation,
    /// Everything under `/v2/pals`.
    Pals,
    /// Every request; as the operation of a request, one to a path nobody knows.
    Any,
}

const OPERATIONS: [Operation; 9] = [
    Operation::Create,
    Operation::List,
    Operation::Get,
    Operation::Update,
    Operation::Delete,
    Operation::Voices,
    Operation::Conversation,
    Operation::Pals,
    Operation::Any,
];

impl Operation {
    /// Returns the word used in rules and in the ledger.
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::List => "list",
            Self::Get => "get",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Voices => "voices",
            Self::Conversation => "conversation",
            Self::Pals => "pals",
            Self::Any => "any",
        }
    }

    /// Returns what a request does, by its method and its whole path.
    pub(super) fn of(method: &str, path: &str) -> Self {
        let mut parts = path.trim_start_matches("/v2/").split('/');
        match (parts.next().unwrap_or(""), parts.next(), method) {
            ("faces" | "replicas", None, "POST") => Self::Create,
            ("faces" | "replicas", None, "GET") => Self::List,
            ("faces" | "replicas", Some(_), "GET") => Self::Get,
            ("faces" | "replicas", Some(_), "PATCH") => Self::Update,
            ("faces" | "replicas", Some(_), "DELETE") => Self::Delete,
            ("voices", ..) => Self::Voices,
            ("conversations", ..) => Self::Conversation,
            ("pals" | "personas", ..) => Self::Pals,
            _ => Self::Any,
        }
    }
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultRule {
    pub(super) operation: Operation,
    /// First and last request it applies to, counted from 1.
    pub(super) window: Option<(u64, u64)>,
    pub(super) fault: Fault,
    text: String,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    Status { status: u16, retry_after: Option<String>, after_effect: bool },
    Html { after_effect: bool },
    Html200,
    DropAfterEffect,
    DropBeforeEffect,
    LateEffect(Duration),
    Truncate,
    HalfPair,
    Hang,
    Slow(Duration),
    Redirect,
    Pages(PageTrick),
    Switch(Switch),
}

/// How the pages of a listing fail to fit together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageTrick {
    Shrink,
    Grow,
    Reorder,
}

/// A lasting departure from the defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Switch {
    Lag(Duration),
    MaxLimit(u64),
    StillListed,
    NoContent,
    UnknownIs400,
    StatusWord(String),
    Gap(Duration),
    Slots(u64),
    Concurrent(u64),
    PalConflict,
    PalEnvelope,
    Names(NormalForm),
    CallbackDrop,
    CallbackRepeat,
    CallbackReorder,
    CallbackNewWords,
}

impl Switch {
    /// Returns the only operation the switch makes sense for.
    fn operation(&self) -> Operation {
        match self {
            Self::Lag(_) | Self::MaxLimit(_) => Operation::List,
            Self::StillListed | Self::NoContent => Operation::Delete,
            Self::UnknownIs400 | Self::StatusWord(_) | Self::Gap(_) => Operation::Get,
            Self::Slots(_) | Self::Concurrent(_) => Operation::Create,
            Self::PalConflict | Self::PalEnvelope => Operation::Pals,
            Self::Names(_)
            | Self::CallbackDrop
            | Self::CallbackRepeat
            | Self::CallbackReorder
            | Self::CallbackNewWords => Operation::Any,
        }
    }
}

/// A normal form of Unicode, in which a store may keep texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NormalForm {
    Nfc,
    Nfd,
    Nfkc,
}

impl NormalForm {
    fn parse(word: &str) -> Result<Self, String> {
        match word {
            "nfc" => Ok(Self::Nfc),
            "nfd" => Ok(Self::Nfd),
            "nfkc" => Ok(Self::Nfkc),
            _ => Err(format!("`{word}` must be nfc, nfd or nfkc")),
        }
    }

    /// Returns a text in this form.
    pub(super) fn of(self, text: &str) -> String {
        match self {
            Self::Nfc => text.nfc().collect(),
            Self::Nfd => text.nfd().collect(),
            Self::Nfkc => text.nfkc().collect(),
        }
    }
}

/// A rule that cannot be read; the text says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("fault rule `{rule}`: {why}")]
pub struct FaultRuleError {
    rule: String,
    why: String,
}

impl fmt::Display for FaultRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for FaultRule {
    type Err = FaultRuleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        parse(text).map_err(|why| FaultRuleError { rule: text.into(), why })
    }
}

fn parse(text: &str) -> Result<FaultRule, String> {
    let (place, what) = text.split_once(':').ok_or("it needs the form OPERATION[@N[-M]]:FAULT, as in create@2:502")?;
    let (operation, window) = match place.split_once('@') {
        Some((operation, window)) => (operation, Some(parse_window(window)?)),
        None => (place, None),
    };
    let operation = OPERATIONS.into_iter().find(|known| known.word() == operation).ok_or_else(|| {
        format!("there is no operation `{operation}`; there are {}", OPERATIONS.map(Operation::word).join(", "))
    })?;
    let mut parts = what.split(';').map(str::trim);
    let fault = parse_fault(parts.next().unwrap_or(""), parts)?;
    match &fault {
        Fault::Pages(_) if operation != Operation::List => Err("only a listing has pages: write list:…".into()),
        Fault::Switch(switch) if window.is_some() => {
            Err(format!("it applies all the time: write {}:… without @", switch.operation().word()))
        }
        Fault::Switch(switch) if switch.operation() != operation => {
            Err(format!("it belongs to another operation: write {}:…", switch.operation().word()))
        }
        _ => Ok(FaultRule { operation, window, fault, text: text.into() }),
    }
}

fn parse_window(text: &str) -> Result<(u64, u64), String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if 1 <= first && first <= last => Ok((first, last)),
        _ => Err(format!("`@{text}` must be @N or @N-M, counted from 1, as in @2 or @1-3")),
    }
}

fn parse_fault<'a>(text: &str, options: impl Iterator<Item = &'a str>) -> Result<Fault, String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    let (mut retry_after, mut after_effect) = (None, false);
    for option in options {
        match option.split_once('=') {
            Some(("retry-after", value)) if !value.is_empty() && value.is_ascii() => {
                retry_after = Some(value.to_owned())
            }
            None if option == "after-effect" => after_effect = true,
            _ => return Err(format!("there is no option `{option}`; there are after-effect and retry-after=SECONDS")),
        }
    }
    let status = name.parse::<u16>().ok().filter(|status| (400..600).contains(status));
    if (retry_after.is_some() && status.is_none()) || (after_effect && status.is_none() && name != "html") {
        return Err("options go with a status; after-effect with `html` too".into());
    }
    let fault = match (name, value) {
        (_, None) if status.is_some() => Fault::Status { status: status.unwrap_or(500), retry_after, after_effect },
        ("html", None) => Fault::Html { after_effect },
        ("html200", None) => Fault::Html200,
        ("drop-after-effect", None) => Fault::DropAfterEffect,
        ("drop-before-effect", None) => Fault::DropBeforeEffect,
        ("late-effect", Some(value)) => Fault::LateEffect(duration(value)?),
        ("truncate", None) => Fault::Truncate,
        ("half-pair", None) => Fault::HalfPair,
        ("hang", None) => Fault::Hang,
        ("slow", Some(value)) => Fault::Slow(duration(value)?),
        ("redirect", None) => Fault::Redirect,
        ("shrink", None) => Fault::Pages(PageTrick::Shrink),
        ("grow", None) => Fault::Pages(PageTrick::Grow),
        ("reorder", None) => Fault::Pages(PageTrick::Reorder),
        _ => Fault::Switch(parse_switch(name, value)?),
    };
    Ok(fault)
}

fn parse_switch(name: &str, value: Option<&str>) -> Result<Switch, String> {
    Ok(match (name, value) {
        ("lag", Some(value)) => Switch::Lag(duration(value)?),
        ("max-limit", Some(value)) => Switch::MaxLimit(number(value)?.max(1)),
        ("still-listed", None) => Switch::StillListed,
        ("no-content", None) => Switch::NoContent,
        ("unknown-is-400", None) => Switch::UnknownIs400,
        ("status-word", Some(value)) if !value.is_empty() => Switch::StatusWord(value.into()),
        ("gap", Some(value)) => Switch::Gap(duration(value)?),
        ("slots", Some(value)) => Switch::Slots(number(value)?),
        ("concurrent", Some(value)) => Switch::Concurrent(number(value)?),
        ("conflict", None) => Switch::PalConflict,
        ("envelope", None) => Switch::PalEnvelope,
        ("names", Some(word)) => Switch::Names(NormalForm::parse(word)?),
        ("callback-drop", None) => Switch::CallbackDrop,
        ("callback-repeat", None) => Switch::CallbackRepeat,
        ("callback-reorder", None) => Switch::CallbackReorder,
        ("callback-new-words", None) => Switch::CallbackNewWords,
        _ => {
            let known: Vec<&str> = FAULTS.iter().map(|(name, _)| *name).collect();
            return Err(format!("there is no fault `{name}` of this form; there are {}", known.join(", ")));
        }
    })
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("`{text}` must be a whole number"))
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let millis = match &text[digits.len()..] {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    match (digits.parse::<u64>(), millis) {
        // A year is more than any test needs, and keeps sums far from their limits.
        (Ok(count), Some(millis)) if count.saturating_mul(millis) <= 31_536_000_000 => {
            Ok(Duration::from_millis(count * millis))
        }
        _ => Err(format!("`{text}` must be a duration of at most a year, as in 250ms, 2s, 5m or 1h")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> FaultRule {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn a_rule_says_where_when_and_what() {
        assert_eq!(rule("create:drop-after-effect").fault, Fault::DropAfterEffect);
        let second = rule("create@2:502");
        assert_eq!((second.operation, second.window), (Operation::Create, Some((2, 2))));
        let limited = Fault::Status { status: 429, retry_after: Some("1".into()), after_effect: false };
        assert_eq!(rule("list:429;retry-after=1").fault, limited);
        assert_eq!(rule("list@1-3:html").window, Some((1, 3)));
        assert_eq!(rule("list:lag=60s").fault, Fault::Switch(Switch::Lag(Duration::from_secs(60))));
        assert_eq!(rule("any:slow=250ms").fault, Fault::Slow(Duration::from_millis(250)));
        assert_eq!(rule(" create:truncate ").to_string(), "create:truncate");
    }

    #[test]
    fn every_documented_fault_can_be_written() {
        for (name, _) in FAULTS {
            let name = name.split(' ').next().unwrap_or("");
            let is_rule =
                OPERATIONS.iter().any(|place| format!("{}:{name}", place.word()).parse::<FaultRule>().is_ok());
            assert!(is_rule, "{name}");
        }
    }

    #[test]
    fn an_unreadable_rule_is_told_what_is_allowed() {
        let table = [
            ("create", "OPERATION"),
            ("make:502", "create, list, get"),
            ("create@0:502", "counted from 1"),
            ("create@3-2:502", "counted from 1"),
            ("create:explode", "drop-after-effect"),
            ("create:200", "there is no fault"),
            ("create:502;soon", "after-effect"),
            ("create:truncate;retry-after=1", "with a status"),
            ("any:slow=fast", "250ms"),
            ("any:slow=99999999999h", "a year"),
            ("create:shrink", "list:"),
            ("create:lag=1s", "list:"),
            ("list@2:lag=1s", "without @"),
        ];
        for (text, expected) in table {
            let error = text.parse::<FaultRule>().unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains(text), "{text}: {error}");
        }
    }
}
