//! A page that has to fit: what comes first is kept whole, details go first.

/// A part of a page.
pub(super) enum Part {
    /// Kept whole.
    Whole(String),
    /// Kept as far as there is room.
    List(List),
}

/// Lines of which the last may be left out.
pub(super) struct List {
    /// What stands before them, where there is at least one.
    pub(super) head: String,
    /// The lines, each with its end.
    pub(super) lines: Vec<String>,
    /// What stands behind them.
    pub(super) tail: String,
    /// The lower, the earlier it gets room.
    pub(super) rank: u8,
    /// Says what was left out, from the number of lines that were kept.
    pub(super) left_out: Box<dyn Fn(usize) -> String>,
}

/// Lays parts out in their order, in no more than `limit` bytes; there are never more characters than bytes.
///
/// Whole parts have to be short by themselves; where they are not, the end is cut.
pub(super) fn fitted(parts: &[Part], limit: usize) -> String {
    let lists = || parts.iter().filter_map(|part| if let Part::List(list) = part { Some(list) } else { None });
    let mut room = limit;
    for part in parts {
        let needed = match part {
            Part::Whole(text) => text.len(),
            Part::List(list) => match list.lines.len() {
                0 => 0,
                number => {
                    // The longest that may be said of what was left out: of all, or of all but one.
                    let said = (list.left_out)(0).len().max((list.left_out)(1.min(number - 1)).len());
                    list.head.len() + list.tail.len() + said
                }
            },
        };
        room = room.saturating_sub(needed);
    }
    let mut order: Vec<(usize, &List)> = lists().enumerate().collect();
    order.sort_by_key(|(_, list)| list.rank);
    let mut kept = vec![0; order.len()];
    for (at, list) in order {
        for line in &list.lines {
            if line.len() > room {
                break;
            }
            room -= line.len();
            kept[at] += 1;
        }
    }
    let mut numbers = kept.into_iter();
    let mut page = String::with_capacity(limit.min(1 << 16));
    for part in parts {
        match part {
            Part::Whole(text) => page.push_str(text),
            Part::List(list) => list_into(&mut page, list, numbers.next().unwrap_or(0)),
        }
    }
    if page.len() > limit {
        page.truncate(page.floor_char_boundary(limit));
    }
    page
}

fn list_into(page: &mut String, list: &List, kept: usize) {
    if list.lines.is_empty() {
        return;
    }
    if kept > 0 {
        page.push_str(&list.head);
        page.extend(list.lines.iter().take(kept).map(String::as_str));
    }
    if kept < list.lines.len() {
        page.push_str(&(list.left_out)(kept));
    }
    if kept > 0 {
        page.push_str(&list.tail);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(name: &str, number: usize, rank: u8) -> Part {
        let lines = (0..number).map(|at| format!("{name}{at:03} ééé\n")).collect();
        let left_out = Box::new(move |kept: usize| format!("{} more\n", number - kept));
        Part::List(List { head: format!("{name}:\n"), lines, tail: "end\n".to_owned(), rank, left_out })
    }

    #[test]
    fn what_fits_is_whole_and_nothing_is_said_of_what_is_left_out() {
        let page = fitted(&[Part::Whole("head\n".to_owned()), list("a", 2, 1)], 1000);
        assert_eq!(page, "head\na:\na000 ééé\na001 ééé\nend\n");
    }

    #[test]
    fn the_later_rank_is_cut_first_and_the_page_never_grows_beyond_its_limit() {
        let parts =
            [Part::Whole("head\n".to_owned()), list("b", 100, 2), list("a", 100, 1), Part::Whole("foot\n".to_owned())];
        for limit in 200..4_000 {
            let page = fitted(&parts, limit);
            assert!(page.len() <= limit, "{limit}");
            assert!(page.starts_with("head\n") && page.ends_with("foot\n"), "{limit}");
            let has_details = page.contains("b000");
            assert!(!has_details || page.contains("a099"), "{limit}");
        }
    }
}
