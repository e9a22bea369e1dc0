use std::sync::Mutex;

use jiff::Timestamp;

use super::*;
use crate::clock::HandWoundClock;
use crate::face::{PalId, Sight, TrainingStatus, VoiceId};
use crate::tavus::{PalPage, PalRow, Voice, VoicePage, VoiceQuery};

/// A server made of one function: which page is asked for, and how many were asked for before it.
struct Server<F> {
    answer: F,
    asked: Mutex<Vec<u32>>,
}

impl<F: Fn(u32, usize) -> Result<FacePage, ApiError> + Send + Sync> FaceReads for Server<F> {
    async fn face_page(&self, page: u32) -> Result<FacePage, ApiError> {
        let before = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(page);
            asked.len() - 1
        };
        tokio::task::yield_now().await;
        (self.answer)(page, before)
    }

    async fn face(&self, id: &FaceId) -> Result<Option<ObservedFace>, ApiError> {
        match id.as_str() {
            "r404" => Ok(None),
            "r500" => Err(error(500)),
            "r401" => Err(error(401)),
            _ => Ok(Some(ObservedFace { error: Some("too dark".into()), ..face(0, id.as_str()) })),
        }
    }

    async fn pal_page(&self, _: u32) -> Result<PalPage, ApiError> {
        Ok(PalPage { pals: Vec::new(), unreadable_rows: 0, total_count: Some(0) })
    }

    async fn pal(&self, _: &PalId) -> Result<Option<PalRow>, ApiError> {
        Ok(None)
    }

    async fn voice(&self, _: &VoiceId) -> Result<Option<Voice>, ApiError> {
        Ok(None)
    }

    async fn voice_page(&self, _: u32, _: &VoiceQuery) -> Result<VoicePage, ApiError> {
        Ok(VoicePage::default())
    }
}

fn server<F: Fn(u32, usize) -> Result<FacePage, ApiError> + Send + Sync>(answer: F) -> Server<F> {
    Server { answer, asked: Mutex::default() }
}

fn error(status: u16) -> ApiError {
    let failure = Failure::Status { status, message: "no".into(), retry_after: None };
    ApiError { method: "GET", path: "/v2/faces".into(), failure }
}

fn face(number: usize, id: &str) -> ObservedFace {
    ObservedFace {
        id: id.parse().unwrap(),
        name: Some(format!("face {number}")),
        model: None,
        status: TrainingStatus::Failed,
        progress: None,
        error: None,
        default_voice: None,
        ownership: Ownership::User,
        created_at: None,
    }
}

/// A page of `size` rows, counted from 1, out of the faces with these numbers.
fn slice(numbers: std::ops::Range<usize>, page: u32, size: usize) -> FacePage {
    let total = numbers.len();
    let skipped = (page.max(1) as usize - 1) * size;
    let faces = numbers.skip(skipped).take(size).map(|n| face(n, &format!("r{n}"))).collect();
    FacePage { faces, unreadable_rows: 0, first_unreadable: None, total_count: Some(total) }
}

async fn list<F: Fn(u32, usize) -> Result<FacePage, ApiError> + Send + Sync>(server: &Server<F>) -> (usize, String) {
    let clock = HandWoundClock::at(Timestamp::from_second(1).unwrap());
    let observed = observe(server, &clock, 4).await.unwrap();
    let coverage = match observed.coverage {
        Coverage::Complete => "complete".to_owned(),
        Coverage::Partial(why) => why,
    };
    (observed.faces.len(), coverage)
}

fn asked<F>(server: &Server<F>) -> usize {
    server.asked.lock().unwrap().len()
}

fn complete(faces: usize) -> (usize, String) {
    (faces, "complete".to_owned())
}

#[tokio::test]
async fn a_stable_list_takes_one_request_per_full_page() {
    for (faces, requests) in [(0, 1), (1, 1), (99, 1), (100, 1), (101, 2), (1000, 10), (1001, 11)] {
        let server = server(|page, _| Ok(slice(0..faces, page, 100)));
        assert_eq!(list(&server).await, complete(faces));
        assert_eq!(asked(&server), requests, "{faces} faces");
    }
}

#[tokio::test]
async fn a_server_that_caps_the_page_size_is_read_to_the_end() {
    let server = server(|page, _| Ok(slice(0..95, page, 10)));
    assert_eq!(list(&server).await, complete(95));
    assert_eq!(asked(&server), 10);
}

#[tokio::test]
async fn a_server_that_says_no_total_is_read_until_an_empty_page() {
    let server = server(|page, _| Ok(FacePage { total_count: None, ..slice(0..25, page, 10) }));
    assert_eq!(list(&server).await, complete(25));
}

#[tokio::test]
async fn a_server_that_counts_from_0_is_read_whole() {
    for (faces, size) in [(3, 100), (101, 100), (250, 100), (25, 10)] {
        let server = server(|page, _| Ok(slice(0..faces, page + 1, size)));
        assert_eq!(list(&server).await, complete(faces), "{faces} faces");
        let silent = self::server(|page, _| Ok(FacePage { total_count: None, ..slice(0..faces, page + 1, size) }));
        assert_eq!(list(&silent).await, complete(faces), "{faces} faces, no total");
    }
}

#[tokio::test]
async fn a_server_that_ignores_the_page_never_looks_complete_unless_it_shows_all() {
    let whole = server(|_, _| Ok(slice(0..7, 1, 100)));
    assert_eq!(list(&whole).await, complete(7));
    let part = server(|_, _| Ok(slice(0..250, 1, 100)));
    assert_eq!(list(&part).await, (100, "the API counts 250 faces and lists 100".into()));
    let silent = server(|_, _| Ok(FacePage { total_count: None, ..slice(0..250, 1, 100) }));
    let (faces, coverage) = list(&silent).await;
    assert!(faces == 100 && coverage.contains("repeats a page"), "{coverage}");
    assert!(asked(&part) < 20 && asked(&silent) < 20);
}

#[tokio::test]
async fn a_total_that_lies_makes_the_listing_partial_and_loses_no_face() {
    for total in [3, 11, 12, 14, 1_000_000_000] {
        let server = server(|page, _| Ok(FacePage { total_count: Some(total), ..slice(0..13, page, 10) }));
        let (faces, coverage) = list(&server).await;
        assert_eq!((faces, coverage), (13, format!("the API counts {total} faces and lists 13")));
        assert!(asked(&server) < 20, "{total}");
    }
}

#[tokio::test]
async fn a_list_that_moves_once_is_read_again_and_is_then_complete() {
    // The second page is of a list that has grown or shrunk since the first.
    for now in [240..460, 200..450, 201..450] {
        let server = server(|page, before| Ok(slice(if before == 0 { 200..450 } else { now.clone() }, page, 100)));
        assert_eq!(list(&server).await, complete(now.len()), "{now:?}");
    }
}

#[tokio::test]
async fn a_list_that_keeps_moving_is_partial_with_everything_that_was_shown() {
    let growing = server(|page, before| Ok(slice(0..250 + before, page, 100)));
    let (faces, coverage) = list(&growing).await;
    assert!(faces >= 250 && coverage.contains("came or went"), "{faces} {coverage}");
    // Each deletion shifts the rest by one, so that a row is skipped between two pages.
    let shrinking = server(|page, before| Ok(slice(before..250, page, 100)));
    let (faces, coverage) = list(&shrinking).await;
    assert!(faces >= 240 && coverage.contains("came or went"), "{faces} {coverage}");
}

#[tokio::test]
async fn a_face_shown_twice_hides_another_and_is_noticed() {
    // One deleted and one made between two pages: the total stays, a row comes twice.
    let server = server(|page, before| {
        let mut shown = slice(0..20, page, 10);
        if page == 2 && before < 2 {
            shown.faces[0] = face(9, "r9");
        }
        Ok(shown)
    });
    assert_eq!(list(&server).await, complete(20));
    assert!(asked(&server) > 2);
}

#[tokio::test]
async fn an_unreadable_row_makes_the_listing_partial() {
    let server = server(|page, _| {
        let mut shown = slice(0..20, page, 10);
        if page == 1 {
            shown.faces.clear();
            shown.unreadable_rows = 10;
        }
        Ok(shown)
    });
    assert_eq!(list(&server).await, (10, "10 rows of the listing cannot be read".into()));
}

#[tokio::test]
async fn stock_faces_are_left_out_but_counted() {
    let server = server(|page, _| {
        let mut shown = slice(0..20, page, 10);
        shown.faces.iter_mut().filter(|face| face.name.as_deref() != Some("face 7")).for_each(|face| {
            face.ownership = Ownership::System;
        });
        Ok(shown)
    });
    assert_eq!(list(&server).await, complete(1));
}

#[tokio::test]
async fn an_endless_listing_is_an_error_and_is_not_read_twice() {
    for (rows, total, pages) in [
        (1, Some(usize::MAX), 1000),
        (1, None, 1000),
        (100, Some(5), 1000),
        (1000, None, 201),
        (97, Some(150_000), 1557),
    ] {
        let server = server(|page, _| {
            let faces = (0..rows).map(|row| face(row, &format!("r{page}-{row}"))).collect();
            Ok(FacePage { faces, unreadable_rows: 0, first_unreadable: None, total_count: total })
        });
        let clock = HandWoundClock::at(Timestamp::from_second(1).unwrap());
        let error = observe(&server, &clock, 4).await.map(drop).unwrap_err().to_string();
        assert!(error.contains("has no end") && error.contains("pages"), "{error}");
        // Some are asked for side by side.
        assert!((pages..pages + 4).contains(&asked(&server)), "{rows} rows, {total:?}: {}", asked(&server));
    }
}

#[tokio::test]
async fn a_small_page_size_is_followed_as_far_as_the_total_says() {
    let server = server(|page, _| Ok(slice(0..20_000, page, 10)));
    assert_eq!(list(&server).await, complete(20_000));
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named() {
    let server = server(|page, _| {
        let mut shown = slice(0..13, page, 10);
        if page == 2 {
            shown.faces.pop();
            (shown.unreadable_rows, shown.first_unreadable) = (1, Some("row 3: lone surrogate".to_owned()));
        }
        Ok(shown)
    });
    let why = "1 row of the listing cannot be read (page 2, row 3: lone surrogate)".to_owned();
    assert_eq!(list(&server).await, (12, why));
}

#[tokio::test]
async fn a_page_that_cannot_be_had_fails_the_listing() {
    let clock = HandWoundClock::at(Timestamp::from_second(1).unwrap());
    for (failing, status) in [(1, 401), (2, 404), (3, 500), (0, 500)] {
        let server = server(|page, _| match page {
            page if page == failing => Err(error(status)),
            page => Ok(FacePage { total_count: Some(400), ..slice(0..350, page, 100) }),
        });
        assert_eq!(observe(&server, &clock, 4).await, Err(error(status)), "page {failing}");
    }
    let refuses_0 = server(|page, _| match page {
        0 => Err(error(400)),
        page => Ok(FacePage { total_count: None, ..slice(0..5, page, 100) }),
    });
    assert_eq!(list(&refuses_0).await, complete(5));
}

#[tokio::test]
async fn a_hundred_thousand_faces_are_listed_in_a_thousand_requests() {
    let server = server(|page, _| Ok(slice(0..100_000, page, 100)));
    assert_eq!(list(&server).await, complete(100_000));
    assert_eq!(asked(&server), 1000);
}

#[tokio::test]
async fn details_are_learned_and_a_lost_one_says_so() {
    let server = server(|_, _| Ok(slice(0..0, 1, 1)));
    let ids = ["r1", "r404", "r500", "r2", "rX"].map(|id| id.parse::<FaceId>().unwrap());
    let faces = ids[..4].iter().map(|id| (id.clone(), face(0, id.as_str()))).collect();
    let mut observed = Observed {
        at: Timestamp::from_second(1).unwrap(),
        coverage: Coverage::Complete,
        sight: Sight::Live,
        faces,
        pals: None,
        material: BTreeMap::new(),
    };
    details(&server, &mut observed, &ids, 2).await.unwrap();
    let errors: Vec<_> = ids[..4].iter().map(|id| observed.faces[id].error.as_deref().unwrap_or("none")).collect();
    assert_eq!(errors, ["too dark", "none", "(the reason could not be read: GET /v2/faces: HTTP 500: no)", "too dark"]);
    let refused = details(&server, &mut observed, &["r401".parse().unwrap()], 2).await;
    assert!(refused.is_ok(), "a face that was not listed is not looked at");
    observed.faces.insert("r401".parse().unwrap(), face(0, "r401"));
    assert!(details(&server, &mut observed, &["r401".parse().unwrap()], 2).await.unwrap_err().is_key_refused());
}

#[tokio::test]
async fn a_listing_can_be_moved_to_another_thread() {
    let handle = tokio::spawn(async {
        let server = server(|page, _| Ok(slice(0..3, page, 100)));
        let clock = HandWoundClock::at(Timestamp::from_second(1).unwrap());
        observe(&server, &clock, 4).await.map(|observed| observed.faces.len())
    });
    assert_eq!(handle.await.unwrap(), Ok(3));
}
