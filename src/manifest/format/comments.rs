//! Comments, found by the formatter's own reader.

use yaml_parser::SyntaxKind;

/// A comment and where it begins.
#[derive(Debug)]
pub(super) struct Comment {
    start: usize,
    text: String,
}

/// Returns the comments of a text in order; `None` if it cannot be read.
pub(super) fn comments(text: &str) -> Option<Vec<Comment>> {
    let tree = yaml_parser::parse(text).ok()?;
    let tokens = tree.descendants_with_tokens().filter_map(|element| element.into_token());
    let tokens = tokens.filter(|token| token.kind() == SyntaxKind::COMMENT);
    let comment = |start: usize, text: &str| Comment { start, text: text.trim_end().to_owned() };
    Some(tokens.map(|token| comment(token.text_range().start().into(), token.text())).collect())
}

/// Returns whether two lists are the same comments in the same order.
pub(super) fn are_same(before: &[Comment], after: &[Comment]) -> bool {
    before.len() == after.len() && before.iter().zip(after).all(|(one, other)| one.text == other.text)
}

/// Sets comments that stand behind a value as far apart from it as they were. Those that stood in one column, one after
/// the other, were lined up by somebody, and are again. `before` and `after` are the same comments.
///
/// Once more changes nothing: columns and the smallest gap of each group are the same then.
pub(super) fn into_columns(text_before: &str, before: &[Comment], text_after: &str, after: &[Comment]) -> String {
    let behind: Vec<Behind<'_>> =
        before.iter().zip(after).filter_map(|(was, is)| Behind::of(text_before, was, text_after, is)).collect();
    let mut laid_out = String::with_capacity(text_after.len() + 16 * behind.len());
    let mut written = 0;
    for group in behind.chunk_by(|one, other| one.column == other.column) {
        let gap = group.iter().map(|one| one.gap).min().unwrap_or(1);
        let widest = group.iter().map(|one| one.width()).max().unwrap_or_default();
        for one in group {
            let Behind { value, start, column: _, gap: _ } = one;
            laid_out.push_str(text_after.get(written..value.end).unwrap_or_default());
            laid_out.extend(std::iter::repeat_n(' ', widest + gap - one.width()));
            written = *start;
        }
    }
    laid_out.push_str(text_after.get(written..).unwrap_or_default());
    laid_out
}

/// A comment behind a value, before and after.
struct Behind<'t> {
    /// The column that it had.
    column: usize,
    /// How many blanks set it apart.
    gap: usize,
    /// The line up to the end of the value, as it is now.
    value: Line<'t>,
    /// Where the comment begins now.
    start: usize,
}

struct Line<'t> {
    text: &'t str,
    end: usize,
}

impl<'t> Behind<'t> {
    /// `None` for a comment on a line of its own.
    fn of(text_before: &str, was: &Comment, text_after: &'t str, is: &Comment) -> Option<Self> {
        let (line_before, line_after) = (code(text_before, was.start), code(text_after, is.start));
        let (value_before, value) = (line_before.trim_end(), line_after.trim_end());
        if value_before.is_empty() || value.is_empty() {
            return None;
        }
        let end = is.start - (line_after.len() - value.len());
        let column = line_before.chars().count();
        let gap = column - value_before.chars().count();
        Some(Self { column, gap: gap.max(1), value: Line { text: value, end }, start: is.start })
    }

    fn width(&self) -> usize {
        self.value.text.chars().count()
    }
}

/// What stands before a place on its line.
fn code(text: &str, at: usize) -> &str {
    let before = text.get(..at).unwrap_or_default();
    before.rsplit('\n').next().unwrap_or_default()
}
