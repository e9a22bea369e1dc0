use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use serde_json::json;

use super::*;

/// Texts that some reader takes for something else.
const AMBIGUOUS: [&str; 86] = [
    "",
    "no",
    "No",
    "NO",
    "on",
    "off",
    "y",
    "Y",
    "n",
    "yes",
    "true",
    "True",
    "TRUE",
    "false",
    "~",
    "null",
    "Null",
    "nil",
    "2024-01-02",
    "2024-1-2",
    "2024-01-02T03:04:05Z",
    "2024-01-02 03:04:05",
    "1:20",
    "190:20:30",
    "1:20.5",
    "0o7",
    "012",
    "0x1F",
    "0x1f.8p1",
    "0b101",
    "1_000",
    "1,000",
    "1e3",
    "1E3",
    "1e+3",
    "1.5e-3",
    "1.",
    ".5",
    "+1",
    "-1",
    "+.inf",
    ".inf",
    "-.inf",
    ".NaN",
    "inf",
    "NaN",
    "=",
    "<<",
    "-",
    "- a",
    "?",
    "? a",
    ":",
    ": a",
    "a: b",
    "a:",
    "a #b",
    "#a",
    "&a",
    "*a",
    "!a",
    "|",
    ">",
    "'a",
    "\"a",
    "%a",
    "@a",
    "`a",
    "{a",
    "}a",
    "[a",
    "]a",
    ",a",
    " a",
    "a ",
    "\ta",
    "a\nb",
    "---",
    "...",
    "--- a",
    "a\u{85}b",
    "a\u{2028}b",
    "\u{feff}a",
    ":sym",
    "0",
    "12345678901234567890",
];

/// Texts that need no quotes, so that files stay as they were.
const PLAIN: [&str; 14] = [
    "ana-support",
    "Ana (Support)",
    "phoenix-4.5",
    "https://h.example.com/a.mp4",
    "r1a2b3c4d5",
    "3f9a0c",
    "./faces/ana.mp4",
    "fc-k3j7x2m7-qa4bd2-1",
    "a:b",
    "a#b",
    "Zoë",
    "❤️ 日本",
    "it's",
    "v0a1",
];

#[test]
fn what_any_reader_takes_for_something_else_is_quoted() {
    for text in AMBIGUOUS {
        assert!(scalar(text).starts_with(['\'', '"']), "{text:?}: {}", scalar(text));
    }
    for text in PLAIN {
        assert_eq!(scalar(text), text);
    }
}

#[test]
fn hidden_characters_are_escaped() {
    assert_eq!(scalar("a\n::error::\u{1b}[2J\u{202e}\\\"\u{e0041}"), r#""a\n::error::\u001B[2J\u202E\\\"\U000E0041""#);
}

#[test]
fn values_are_laid_out_as_they_always_were() {
    let value = json!({
        "a": 1, "b": { "c": ["x", { "d": null, "e": [true, []] }, [1, [2]]], "f": {} }, "g": [], "no": "no", "h": 1.5e300,
    });
    let text = "\
a: 1
b:
  c:
  - x
  - d: null
    e:
    - true
    - []
  - - 1
    - - 2
  f: {}
g: []
'no': 'no'
h: 1.5e+300
";
    assert_eq!(to_string(&value).unwrap(), text);
    let plain = json!({ "a": 1, "b": { "c": ["x", { "d": null, "e": [true, []] }, [1, [2]]], "f": {} }, "s": "true" });
    assert_eq!(to_string(&plain).unwrap(), serde_yaml::to_string(&plain).unwrap());
}

#[test]
fn our_own_reader_reads_back_what_is_written() {
    let texts: Vec<&str> = AMBIGUOUS.into_iter().chain(PLAIN).collect();
    let value = document(&texts);
    let text = to_string(&value).unwrap();
    assert_eq!(serde_yaml::from_str::<Value>(&text).unwrap(), value, "{text}");
}

#[test]
fn a_reader_of_yaml_1_1_reads_back_what_is_written() {
    let texts: Vec<&str> = AMBIGUOUS.into_iter().chain(PLAIN).collect();
    read_by_pyyaml(&[document(&texts)]);
}

/// Each text as a value, as a key, and in a list.
fn document(texts: &[&str]) -> Value {
    let keys: Map<String, Value> =
        texts.iter().map(|text| ((*text).to_owned(), json!({ "text": text, "in": [text, [text]] }))).collect();
    json!({ "keys": keys, "long": { "k".repeat(2000): "v" } })
}

/// Holds documents against PyYAML, which speaks YAML 1.1, where it is installed.
fn read_by_pyyaml(values: &[Value]) {
    const SCRIPT: &str = "import json, sys, yaml\nprint(json.dumps([yaml.safe_load(t) for t in json.load(sys.stdin)]))";
    let texts: Vec<String> = values.iter().map(|value| to_string(value).unwrap()).collect();
    let child = Command::new("python3")
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let read = child.and_then(|mut child| {
        child.stdin.take().unwrap().write_all(serde_json::to_string(&texts).unwrap().as_bytes())?;
        child.wait_with_output()
    });
    let is_there = |output: &std::process::Output| !String::from_utf8_lossy(&output.stderr).contains("No module named");
    let Some(output) = read.ok().filter(is_there) else {
        #[expect(clippy::print_stderr, reason = "whoever reads the log must know that nothing was held against it")]
        {
            eprintln!("skipped: python3 with PyYAML is not installed");
        }
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    for ((found, value), text) in found.iter().zip(values).zip(&texts) {
        assert_eq!(found, value, "{text}");
    }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-9+._,:eExXoObBaAfFnN-]{1,8}",
        "[0-9]{1,4}-[0-9]{1,2}(-[0-9]{1,2}([Tt ][0-9:]{1,8}Z?)?)?",
        "(?i)(yes|no|on|off|true|false|null|y|n|~|=|<<|nan|inf|\\.inf)",
        "[-?:,\\[\\]{}#&*!|>'\"%@` \n\tab]{0,8}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        text().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        (-1.0e6..1.0e6f64).prop_map(Value::from),
        Just(Value::Null),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_value_is_read_back_as_it_was(value in value()) {
        let text = to_string(&value).unwrap();
        prop_assert_eq!(serde_yaml::from_str::<Value>(&text).unwrap(), value, "{}", text);
        prop_assert!(text::hidden(&text.replace('\n', "")).next().is_none(), "{:?}", text);
    }
}

#[test]
fn any_value_is_read_back_by_a_reader_of_yaml_1_1() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let values: Vec<Value> = (0..400).map(|_| value().new_tree(&mut runner).unwrap().current()).collect();
    read_by_pyyaml(&values);
}
