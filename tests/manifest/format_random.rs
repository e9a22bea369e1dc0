//! Files of random values in a random style.

use proptest::prelude::*;

use super::{laid_out, values};

#[derive(Debug, Clone)]
enum Value {
    Scalar(String),
    Block(Vec<String>, &'static str),
    List(Vec<Value>, bool),
    Map(Vec<(String, Value)>, bool),
}

fn scalar() -> impl Strategy<Value = String> {
    let plain = prop_oneof![
        "[a-z]{1,8}",
        "[a-z]{1,6}( [a-z]{1,6}){1,12}",
        Just("https://m.example.com/a.mp4?x=1#y".to_owned()),
        Just("1.5".to_owned()),
        Just("true".to_owned()),
        Just("${FACECTL_VAR_X}".to_owned()),
        Just("💥é日本".to_owned()),
    ];
    prop_oneof![
        3 => plain,
        1 => "[a-z #:,\\[\\]{}\u{e9}💥]{0,12}".prop_map(|text| format!("'{text}'")),
        1 => "[a-z #:'&*!]{0,12}".prop_map(|text| format!("\"{text}\"")),
        1 => Just(r#""a\tb\" \u00e9""#.to_owned()),
        1 => Just("'it''s'".to_owned()),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let block =
        (prop::collection::vec("( {0,3}[a-z#: ]{0,10}[a-z])?", 1..4), prop::sample::select(vec!["|", "|-", ">", ">-"]));
    let leaf = prop_oneof![
        4 => scalar().prop_map(Value::Scalar),
        1 => block.prop_map(|(mut lines, head)| {
            // The first line sets the indentation, so it must not be empty or indented itself.
            lines.insert(0, "first # no comment".to_owned());
            Value::Block(lines, head)
        }),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            (prop::collection::vec(inner.clone(), 0..4), any::<bool>())
                .prop_map(|(items, flow)| Value::List(items, flow)),
            (prop::collection::btree_map("[a-z_]{1,8}", inner, 0..4), any::<bool>())
                .prop_map(|(entries, flow)| Value::Map(entries.into_iter().collect(), flow)),
        ]
    })
}

/// Writes values down, taking each liberty that the style allows from a stream of numbers.
struct Writer {
    text: String,
    choices: Vec<u8>,
    at: usize,
    comments: Vec<String>,
}

impl Writer {
    fn choose(&mut self, below: u8) -> u8 {
        self.at += 1;
        self.choices
            .get(self.at % self.choices.len().max(1))
            .map_or(0, |choice| choice.wrapping_add(self.at as u8) % below)
    }

    fn blanks(&mut self) -> String {
        " ".repeat(1 + usize::from(self.choose(4)))
    }

    fn comment(&mut self) -> String {
        let comment = format!("# c{}", self.comments.len());
        self.comments.push(comment.clone());
        comment
    }

    fn end_line(&mut self) {
        if self.choose(4) == 0 {
            let (blanks, comment) = (self.blanks(), self.comment());
            self.text += &format!("{blanks}{comment}");
        } else if self.choose(8) == 0 {
            self.text.push_str("  ");
        }
        self.text.push('\n');
    }

    fn between(&mut self, indent: usize) {
        for _ in 0..self.choose(4) / 2 {
            self.text.push('\n');
        }
        if self.choose(6) == 0 {
            let comment = self.comment();
            self.text += &format!("{}{comment}\n", " ".repeat(indent));
        }
    }

    fn entries(&mut self, entries: &[(String, Value)], indent: usize) {
        for (key, value) in entries {
            self.between(indent);
            self.text += &format!("{}{key}:", " ".repeat(indent));
            self.value(value, indent);
        }
    }

    /// A value behind `key:` or `-`.
    fn value(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Scalar(text) => {
                let blanks = self.blanks();
                self.text += &format!("{blanks}{text}");
                self.end_line();
            }
            Value::Block(lines, head) => {
                let inner = indent + 1 + usize::from(self.choose(4));
                let blanks = self.blanks();
                self.text += &format!("{blanks}{head}");
                self.end_line();
                for line in lines {
                    self.text +=
                        &if line.is_empty() { "\n".to_owned() } else { format!("{}{line}\n", " ".repeat(inner)) };
                }
            }
            Value::Map(entries, flow) if !*flow && !entries.is_empty() => {
                self.end_line();
                let inner = indent + 1 + usize::from(self.choose(4));
                self.entries(entries, inner);
            }
            Value::List(items, flow) if !*flow && !items.is_empty() => {
                self.end_line();
                let inner = indent + 1 + usize::from(self.choose(3));
                for item in items {
                    self.between(inner);
                    self.text += &format!("{}-", " ".repeat(inner));
                    self.value(item, inner);
                }
            }
            flow => {
                let blanks = self.blanks();
                self.text += &blanks;
                self.flow(flow);
                self.end_line();
            }
        }
    }

    fn flow(&mut self, value: &Value) {
        let gap = " ".repeat(usize::from(self.choose(3)));
        match value {
            Value::Scalar(text) => {
                // Plain texts with these in them end early inside of brackets.
                let is_quoted = text.starts_with(['"', '\'']);
                self.text += &if is_quoted || !text.contains([',', '{', '?', '#']) {
                    text.clone()
                } else {
                    format!("\"{text}\"")
                };
            }
            Value::Block(lines, _) => self.text += &format!("\"{}\"", lines[0]),
            Value::List(items, _) => {
                self.text += &format!("[{gap}");
                for (number, item) in items.iter().enumerate() {
                    if number > 0 {
                        self.text += &format!(",{gap} ");
                    }
                    self.flow(item);
                }
                self.text += &format!("{gap}]");
            }
            Value::Map(entries, _) => {
                self.text += &format!("{{{gap}");
                for (number, (key, item)) in entries.iter().enumerate() {
                    if number > 0 {
                        self.text += &format!(",{gap} ");
                    }
                    self.text += &format!("{key}: ");
                    self.flow(item);
                }
                self.text += &format!("{gap}}}");
            }
        }
    }
}

/// A file, and the comments in it in order.
fn file() -> impl Strategy<Value = (String, Vec<String>)> {
    let document = prop::collection::btree_map("[a-z_]{1,8}", value(), 0..5);
    let documents = prop::collection::vec(document, 1..3);
    let ends = prop::sample::select(vec!["\n", "\r\n"]);
    (documents, prop::collection::vec(any::<u8>(), 1..64), ends, any::<bool>()).prop_map(
        |(documents, choices, end, bom)| {
            let mut writer = Writer { text: String::new(), choices, at: 0, comments: Vec::new() };
            for (number, entries) in documents.into_iter().enumerate() {
                if number > 0 || writer.choose(4) == 0 {
                    writer.text += "---";
                    writer.end_line();
                }
                writer.between(0);
                for (key, word) in [("apiVersion", "facectl.dev/v1"), ("kind", "Face")] {
                    writer.text += &format!("{key}: {word}");
                    writer.end_line();
                }
                let entries: Vec<_> = entries.into_iter().filter(|(key, _)| key != "kind").collect();
                writer.entries(&entries, 0);
                writer.between(0);
            }
            let text = writer.text.replace('\n', end);
            (if bom { format!("\u{FEFF}{text}") } else { text }, writer.comments)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_file_means_the_same_keeps_its_comments_and_comes_to_rest((text, comments) in file()) {
        let once = laid_out(&text);
        prop_assert_eq!(&laid_out(&once), &once);
        prop_assert_eq!(values(&once), values(&text));
        let mut rest = once.as_str();
        for comment in comments {
            // A blank or a line end behind it: `# c1` is not in `# c10`.
            let at = rest.lines().map(str::trim_end).position(|line| line.ends_with(&comment));
            prop_assert!(at.is_some(), "{} is lost in\n{}", comment, once);
            rest = &rest[rest.find(&comment).unwrap() + comment.len()..];
        }
    }
}
