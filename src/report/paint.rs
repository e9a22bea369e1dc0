//! Colour and width, decided once.

use anstyle::{AnsiColor, Style};

/// How text is laid out for one reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint {
    /// Whether the reader sees colours.
    pub colour: bool,
    /// How many columns the reader has.
    pub width: usize,
}

impl Paint {
    /// Returns plain text at 80 columns, as for a file.
    pub fn plain() -> Self {
        Self { colour: false, width: 80 }
    }

    fn style(self, style: Style, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        // Line by line: pagers and log viewers forget a colour at the end of a line.
        let lines: Vec<String> = text.split('\n').map(|line| format!("{style}{line}{style:#}")).collect();
        lines.join("\n")
    }

    /// For what comes into being.
    pub fn green(self, text: &str) -> String {
        self.style(AnsiColor::Green.on_default(), text)
    }

    /// For what goes wrong, or goes away.
    pub fn red(self, text: &str) -> String {
        self.style(AnsiColor::Red.on_default(), text)
    }

    /// For what changes, and for what needs a look.
    pub fn yellow(self, text: &str) -> String {
        self.style(AnsiColor::Yellow.on_default(), text)
    }

    /// For what goes on.
    pub fn cyan(self, text: &str) -> String {
        self.style(AnsiColor::Cyan.on_default(), text)
    }

    /// For what is beside the point.
    pub fn dim(self, text: &str) -> String {
        self.style(Style::new().dimmed(), text)
    }

    /// For what must not be missed.
    pub fn bold(self, text: &str) -> String {
        self.style(Style::new().bold(), text)
    }

    /// Breaks prose into lines that fit, each after `indent` blanks. Words longer than a line, such as
    /// links, are not broken: they must stay usable.
    pub fn wrap(self, text: &str, indent: usize) -> String {
        self.join(text.split_whitespace(), indent)
    }

    /// As [`Paint::wrap`], behind a `head` that stands on the first line already.
    pub fn wrap_behind(self, head: &str, text: &str, indent: usize) -> String {
        let wrapped = self.join(std::iter::once(head).chain(text.split_whitespace()), indent);
        wrapped.get(head.len()..).unwrap_or_default().to_owned()
    }

    /// Joins items by commas into lines that fit behind a `head`; an item is never broken.
    pub fn list_behind(self, head: &str, items: &[String], indent: usize) -> String {
        let last = items.len().saturating_sub(1);
        let ended = items.iter().enumerate().map(|(n, item)| format!("{item}{}", if n == last { "." } else { "," }));
        let ended: Vec<String> = ended.collect();
        let wrapped = self.join(std::iter::once(head).chain(ended.iter().map(String::as_str)), indent);
        wrapped.get(head.len()..).unwrap_or_default().to_owned()
    }

    fn join<'a>(self, words: impl Iterator<Item = &'a str>, indent: usize) -> String {
        let room = self.width.saturating_sub(indent).max(20);
        let mut lines: Vec<String> = vec![String::new()];
        for word in words {
            let line = lines.last_mut().map(|line| (line.chars().count(), line));
            match line {
                Some((0, line)) => line.push_str(word),
                Some((length, line)) if length + 1 + word.chars().count() <= room => {
                    line.push(' ');
                    line.push_str(word);
                }
                _ => lines.push(word.to_owned()),
            }
        }
        lines.join(&format!("\n{}", " ".repeat(indent)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_broken_between_words_and_links_are_not_broken_at_all() {
        let paint = Paint { colour: false, width: 24 };
        assert_eq!(paint.wrap("one two three four five six", 4), "one two three four\n    five six");
        let link = "https://media.example.com/a/very/long/path.mp4";
        assert_eq!(paint.wrap(&format!("see {link} now"), 0), format!("see\n{link}\nnow"));
    }
}
