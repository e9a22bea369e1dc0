//! What somebody could write into a name, an error of the API, or a path, and what it must not do.

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::*;
use crate::face::{Coverage, TrainingStatus};
use crate::plan::tests::world::{World, key};
use crate::text::{for_people, hidden, write_json};

/// Pieces of attacks; a text is a few of them.
const PIECES: [&str; 48] = [
    "@everyone",
    "@ana/team",
    "#1",
    "GH-12",
    "!34",
    "acme/repo#5",
    "</details>",
    "</code>",
    "</sub>",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!-- facectl:acme -->",
    "-->",
    "```",
    "````",
    "`",
    "``",
    "|",
    "||",
    "\\|",
    "\\",
    "\n",
    "\r\n",
    "\n\n# head",
    "\n/close",
    "\n::error::x",
    "::set-output name=a::b",
    "##[add-path]/tmp",
    "%0A::error::y",
    "[x](https://evil.example.com)",
    "![x](https://evil.example.com/a.png)",
    "https://evil.example.com/a?token=secret",
    "www.evil.example.com",
    "\u{202e}",
    "\u{200b}",
    "\u{0}",
    "\u{1b}[31m",
    "\u{9b}2J",
    "\u{7f}",
    "\u{ffff}",
    "\u{fffe}",
    "\u{1fffe}",
    "\u{34f}",
    "a\u{fe0f}",
    "\u{2028}::error::z",
    "*x*",
    "&lt;",
    "$x$",
];

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![3 => proptest::sample::select(&PIECES[..]).prop_map(str::to_owned), 1 => "[a-z ]{0,6}"];
    proptest::collection::vec(piece, 1..8).prop_map(|pieces| pieces.concat())
}

/// A world in which everything that comes from outside says `text`.
fn world(text: &str) -> World {
    let mut world = World::agreeing().declared("ana").face("bea").failed("hal").face("ida").face("cho");
    world = world.declared("jan").in_doubt("jan", 1);
    world.live("hal").error = Some(text.to_owned());
    world.live("bea").name = Some(text.to_owned());
    world.live("cho").status = TrainingStatus::Unknown(text.to_owned());
    world.retrain("ida");
    world.wants("ida").training_version = Some(text.to_owned());
    for face in world.desired.faces.values_mut() {
        // A path is no link, and nobody keeps a token in one.
        face.origin.file = format!("faces/{}.yaml", text.replace("?token=secret", ""));
    }
    world.observed.coverage = Coverage::Partial(text.to_owned());
    world
}

/// Reads markdown as a forge does, and returns its text outside of code; panics where there is HTML or a link that is
/// not ours, or a row that does not have the cells of its table.
fn text_of(page: &str) -> String {
    let mut text = String::new();
    let (mut in_code, mut columns, mut cells, mut open) = (false, 0, 0, 0);
    for event in Parser::new_ext(page, Options::ENABLE_TABLES) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => {
                let html = html.replace("<code>", "").replace("</code>", "");
                let is_ours = ["<sub>", "</sub>", "</details>\n", "</details>"].contains(&html.trim_start())
                    || html.starts_with("<details><summary>") && html.trim_end().ends_with("</summary>") && {
                        let title = html.trim().trim_start_matches("<details><summary>").trim_end_matches("</summary>");
                        !title.contains(['<', '>'])
                    }
                    || html.is_empty();
                assert!(is_ours, "not ours: {html:?}");
                open += html.matches("<details>").count();
                open -= html.matches("</details>").count();
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => panic!("a link to {dest_url}"),
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Start(Tag::Table(alignments)) => columns = alignments.len(),
            Event::Start(Tag::TableRow | Tag::TableHead) => cells = 0,
            Event::Start(Tag::TableCell) => cells += 1,
            Event::End(TagEnd::TableRow | TagEnd::TableHead) => assert_eq!(cells, columns),
            Event::Text(words) if !in_code => text.push_str(&words),
            Event::Code(_) | Event::SoftBreak | Event::HardBreak => text.push(' '),
            Event::End(TagEnd::Paragraph | TagEnd::TableCell | TagEnd::Item | TagEnd::Heading(_)) => text.push('\n'),
            _ => {}
        }
    }
    assert_eq!(open, 0, "a fold is not closed");
    text
}

fn calls_somebody(text: &str) -> bool {
    // The heads of boxes are ours.
    let text = ["CAUTION", "WARNING", "NOTE"]
        .iter()
        .fold(text.to_owned(), |text, head| text.replace(&format!("[!{head}]"), ""));
    let next = |sign: char| {
        text.match_indices(sign).any(|(at, _)| text[at + 1..].starts_with(|c: char| c.is_ascii_alphanumeric()))
    };
    next('@') || next('#') || next('!') || text.contains("GH-1") || text.contains("://") || text.contains("www.e")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_comment_says_what_was_said_and_does_nothing_by_it(text in hostile()) {
        let plan = world(&text).plan();
        let failure = Failure { message: &text, causes: std::slice::from_ref(&text), hints: &[], plan: Some((&plan, noon())) };
        for report in [planned(&plan), report("plan", &plan.project, Body::Failure(failure))] {
            let page = markdown(&report, MARKDOWN_LIMIT);
            let read = text_of(&page);
            prop_assert!(!calls_somebody(&read), "{read}");
            // Quick actions of GitLab.
            prop_assert!(!page.lines().any(|line| line.starts_with('/')), "{page}");
            prop_assert!(!page.contains(['\u{202e}', '\u{0}', '\u{1b}', '\r']) && !page.contains("secret"), "{page}");
        }
    }

    #[test]
    fn no_text_commands_githubs_runner(text in hostile()) {
        let plan = world(&text).plan();
        let report = planned(&plan);
        let commands = github_commands(&report, &plan_text(&plan, Paint::plain()), &roots(), "TOKEN");
        let (told, notes) = commands.split_once("\n::TOKEN::\n").unwrap();
        prop_assert!(told.starts_with("::stop-commands::TOKEN\n"));
        for line in notes.lines() {
            let word = line.trim_start_matches("::").split(' ').next().unwrap();
            prop_assert!(["error", "warning", "notice"].contains(&word), "{line}");
            prop_assert!(!line.contains("secret"), "{line}");
        }
        for line in for_people(&text, true).lines() {
            prop_assert!(!line.trim_start().starts_with("::") && !line.contains("##["), "{line}");
        }
        let outputs = github_outputs(&report, "TOKEN");
        prop_assert_eq!(outputs.lines().filter(|line| *line == "TOKEN").count(), 10);
        prop_assert_eq!(outputs.lines().count(), 30);
    }

    #[test]
    fn xml_is_whole_whatever_stands_in_it(text in hostile()) {
        let plan = world(&text).plan();
        let failure = Failure { message: &text, causes: std::slice::from_ref(&text), hints: &[], plan: None };
        let failed = junit(&report("plan", &plan.project, Body::Failure(failure)), &roots());
        let written = junit(&planned(&plan), &roots());
        let read = quick_junit::Report::deserialize_from_str(&written).unwrap();
        prop_assert_eq!(read.test_suites[0].test_cases.len(), plan.faces.len());
        prop_assert!(!written.contains("secret") && !failed.contains("secret"));
        // Another reader, which holds every character against XML's own table.
        let read = roxmltree::Document::parse(&written);
        prop_assert!(read.is_ok(), "{read:?}: {written}");
        let cases = read.unwrap().descendants().filter(|node| node.has_tag_name("testcase")).count();
        prop_assert_eq!(cases, plan.faces.len());
        let read = roxmltree::Document::parse(&failed);
        prop_assert!(read.is_ok(), "{read:?}: {failed}");
    }

    #[test]
    fn no_form_for_programs_holds_what_nobody_sees(text in hostile()) {
        let plan = world(&text).plan();
        let planned = planned(&plan);
        let whole = serde_json::to_value(planned.document()).unwrap();
        let is_seen = |text: &str| hidden(&text.replace('\n', "")).next().is_none();
        let mut json = Vec::new();
        write_json(&mut json, &planned.document()).unwrap();
        let json = String::from_utf8(json).unwrap();
        prop_assert!(is_seen(&json), "{json:?}");
        prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), whole.clone());
        let yaml = crate::yaml::to_string(&planned.document()).unwrap();
        prop_assert!(is_seen(&yaml), "{yaml:?}");
        prop_assert_eq!(serde_yaml::from_str::<serde_json::Value>(&yaml).unwrap(), whole.clone());
        for value in [gitlab_code_quality(&planned, &roots()), gitlab_plan(&planned)] {
            let mut form = Vec::new();
            write_json(&mut form, &value).unwrap();
            let form = String::from_utf8(form).unwrap();
            prop_assert!(is_seen(&form), "{form:?}");
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&form).unwrap(), value);
        }
        for form in [
            junit(&planned, &roots()),
            markdown(&planned, MARKDOWN_LIMIT),
            github_commands(&planned, "", &roots(), "TOKEN"),
            github_outputs(&planned, "TOKEN"),
        ] {
            prop_assert!(is_seen(&form), "{form:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_comment_is_never_too_long_and_its_numbers_are_whole(faces in 0usize..600, text in hostile(), limit in 6_000usize..80_000) {
        let mut world = world(&text);
        for number in 0..faces {
            world = match number % 3 {
                0 => world.declared(&format!("n{number}")),
                1 => world.failed(&format!("f{number}")),
                _ => world.training(&format!("t{number}")),
            };
        }
        let plan = world.plan();
        let report = planned(&plan);
        let page = markdown(&report, limit);
        prop_assert!(page.len() <= limit);
        prop_assert!(page.contains(&counts_of(&plan)), "{page}");
        prop_assert!(page.trim_end().ends_with("</sub>"), "{page}");
        let _ = text_of(&page);
    }
}

fn counts_of(plan: &Plan) -> String {
    crate::report::plan_words::counts(&plan.summary())
}

#[test]
fn three_thousand_faces_keep_their_numbers_and_say_what_is_left_out() {
    let mut world = World::agreeing();
    for number in 0..3_000 {
        world = world.declared(&format!("face-{number:04}"));
    }
    let plan = world.plan();
    let page = markdown(&planned(&plan), MARKDOWN_LIMIT);
    assert!(page.len() <= MARKDOWN_LIMIT && page.len() > MARKDOWN_LIMIT - 2_000, "{}", page.len());
    assert!(page.contains("**Plan: 3000 to create,") && page.contains("**3000 paid trainings**"));
    assert!(page.contains(" create. `facectl plan` shows all of them.") && page.contains("The fields of 3000 faces"));
    assert!(page.contains("--expect-digest"));
    assert!(world.desired.faces.contains_key(&key("face-0000")));
}
