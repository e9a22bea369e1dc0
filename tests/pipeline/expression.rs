//! The part of GitHub's expressions that the workflows use: paths, texts, `==`, `!=`, `!`, `&&`, `||`, brackets, and the
//! functions that ask how the job goes ("Evaluate expressions in workflows and actions", docs.github.com, November 2026).

use serde_json::Value;

/// What expressions see.
pub(crate) struct Context {
    /// `github`, `env`, `vars`, `secrets`, `steps`, `needs`, `inputs`, `runner`.
    pub(crate) values: Value,
    /// Whether a step before this one failed.
    pub(crate) has_failed: bool,
}

impl Context {
    /// Returns whether a step or job with this condition runs.
    pub(crate) fn runs(&self, condition: Option<&str>) -> bool {
        let Some(condition) = condition else { return !self.has_failed };
        let asks = ["always()", "failure()", "cancelled()"].iter().any(|function| condition.contains(function));
        (asks || !self.has_failed) && is_true(&self.value(condition))
    }

    /// Puts the values of its expressions into a text.
    pub(crate) fn fill(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${{") {
            let (expression, after) = after.split_once("}}").unwrap_or_else(|| panic!("not closed: {text}"));
            out += before;
            out += &as_text(&self.value(expression));
            rest = after;
        }
        out + rest
    }

    fn value(&self, text: &str) -> Value {
        let mut parser = Parser { context: self, words: words(text), at: 0 };
        let value = parser.either();
        assert_eq!(parser.at, parser.words.len(), "not understood: {text}");
        value
    }
}

/// An empty text, zero and nothing are false; every other text is true.
fn is_true(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && value.as_str() != Some("") && value.as_f64() != Some(0.0)
}

fn as_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' => rest[1..].find('\'').unwrap_or_else(|| panic!("not closed: {text}")) + 2,
            '(' | ')' => 1,
            '!' if !rest.starts_with("!=") => 1,
            '=' | '!' | '&' | '|' => 2,
            _ => rest.find(|c: char| !(c.is_alphanumeric() || "-_.".contains(c))).unwrap_or(rest.len()),
        };
        assert!(length > 0, "not understood: {rest}");
        let (word, after) = rest.split_at(length);
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

struct Parser<'a> {
    context: &'a Context,
    words: Vec<String>,
    at: usize,
}

impl Parser<'_> {
    fn takes(&mut self, word: &str) -> bool {
        let is_it = self.words.get(self.at).is_some_and(|next| next == word);
        self.at += usize::from(is_it);
        is_it
    }

    fn either(&mut self) -> Value {
        let mut value = self.both();
        while self.takes("||") {
            let other = self.both();
            value = if is_true(&value) { value } else { other };
        }
        value
    }

    fn both(&mut self) -> Value {
        let mut value = self.compared();
        while self.takes("&&") {
            let other = self.compared();
            value = if is_true(&value) { other } else { value };
        }
        value
    }

    fn compared(&mut self) -> Value {
        let value = self.one();
        // Texts are compared without case; everything that is compared here is a text or nothing.
        let is_same = |one: &Value, other: &Value| as_text(one).eq_ignore_ascii_case(&as_text(other));
        if self.takes("==") {
            return is_same(&value, &self.one()).into();
        }
        if self.takes("!=") {
            return (!is_same(&value, &self.one())).into();
        }
        value
    }

    fn one(&mut self) -> Value {
        if self.takes("!") {
            return (!is_true(&self.one())).into();
        }
        if self.takes("(") {
            let value = self.either();
            assert!(self.takes(")"), "a bracket is not closed");
            return value;
        }
        let word = self.words.get(self.at).cloned().unwrap_or_else(|| panic!("something is missing"));
        self.at += 1;
        if self.takes("(") {
            assert!(self.takes(")"), "{word} takes nothing here");
            return self.asked(&word).into();
        }
        match word.strip_prefix('\'') {
            Some(text) => text.trim_end_matches('\'').into(),
            None if matches!(word.as_str(), "true" | "false") => (word == "true").into(),
            None => self.path(&word),
        }
    }

    fn asked(&self, function: &str) -> bool {
        match function {
            "always" => true,
            "success" => !self.context.has_failed,
            "failure" => self.context.has_failed,
            "cancelled" => false,
            other => panic!("{other}() is not known"),
        }
    }

    /// What is not there is nothing, but the context itself must be one that GitHub has.
    fn path(&self, path: &str) -> Value {
        let mut names = path.split('.');
        let first = names.next().unwrap_or_default();
        let mut value = self.context.values.get(first).unwrap_or_else(|| panic!("no context is called {first}"));
        for name in names {
            value = value.get(name).unwrap_or(&Value::Null);
        }
        value.clone()
    }
}

#[test]
fn expressions_mean_what_they_mean_on_github() {
    let values = serde_json::json!({ "github": { "ref": "refs/heads/main", "number": 7 }, "vars": {}, "steps": { "a": { "outputs": { "has-changes": "true" } } } });
    let context = Context { values, has_failed: false };
    for (condition, expected) in [
        ("github.ref == 'refs/heads/main'", true),
        ("vars.NONE == 'true'", false),
        ("vars.NONE == 'true' || steps.a.outputs.has-changes == 'true'", true),
        ("!(github.ref != 'refs/heads/main') && github.number", true),
        ("failure()", false),
    ] {
        assert_eq!(context.runs(Some(condition)), expected, "{condition}");
    }
    assert_eq!(context.fill("n-${{ github.number }}${{ vars.NONE }}!"), "n-7!");
    let failed = Context { has_failed: true, ..context };
    assert!(!failed.runs(None) && !failed.runs(Some("github.number")) && failed.runs(Some("always()")));
}
