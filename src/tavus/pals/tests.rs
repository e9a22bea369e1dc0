use std::sync::Mutex;

use super::*;
use crate::face::{ObservedFace, VoiceId};
use crate::tavus::{
    Conversation, ConversationRequest, CreateFace, CreateOutcome, FacePage, FaceUpdate, Voice, VoicePage, VoiceQuery,
};

/// A server made of functions: which page is asked for, and how many were asked for before it; which single PAL.
struct Server<F> {
    answer: F,
    asked: Mutex<Vec<u32>>,
    /// What a look at one PAL shows, in turn; the last one again and again.
    shown: Mutex<Vec<Result<Option<PalRow>, ApiError>>>,
    /// What a patch is answered with.
    patched: Result<(), ApiError>,
}

fn server<F: Fn(u32, usize) -> Result<PalPage, ApiError> + Send + Sync>(answer: F) -> Server<F> {
    Server { answer, asked: Mutex::default(), shown: Mutex::new(vec![Ok(None)]), patched: Ok(()) }
}

impl<F: Fn(u32, usize) -> Result<PalPage, ApiError> + Send + Sync> FaceReads for Server<F> {
    async fn face_page(&self, _: u32) -> Result<FacePage, ApiError> {
        Err(error(500))
    }

    async fn face(&self, _: &FaceId) -> Result<Option<ObservedFace>, ApiError> {
        Ok(None)
    }

    async fn pal_page(&self, page: u32) -> Result<PalPage, ApiError> {
        let mut asked = self.asked.lock().unwrap();
        asked.push(page);
        (self.answer)(page, asked.len() - 1)
    }

    async fn pal(&self, _: &PalId) -> Result<Option<PalRow>, ApiError> {
        let mut shown = self.shown.lock().unwrap();
        if shown.len() > 1 { shown.remove(0) } else { shown[0].clone() }
    }

    async fn voice(&self, _: &VoiceId) -> Result<Option<Voice>, ApiError> {
        Ok(None)
    }

    async fn voice_page(&self, _: u32, _: &VoiceQuery) -> Result<VoicePage, ApiError> {
        Err(error(500))
    }
}

impl<F: Fn(u32, usize) -> Result<PalPage, ApiError> + Send + Sync> FaceApi for Server<F> {
    async fn create_face(&self, _: &CreateFace) -> CreateOutcome {
        CreateOutcome::Refused(error(400))
    }

    async fn update_face(&self, _: &FaceId, _: &FaceUpdate) -> Result<(), ApiError> {
        Err(error(400))
    }

    async fn delete_face(&self, _: &FaceId, _: bool) -> Result<(), ApiError> {
        Err(error(400))
    }

    async fn patch_pal(&self, _: &PalId, _: &FaceId, _: &FaceId) -> Result<(), ApiError> {
        self.patched.clone()
    }

    async fn create_conversation(&self, _: &ConversationRequest) -> Result<Conversation, ApiError> {
        Err(error(400))
    }
}

fn error(status: u16) -> ApiError {
    let failure = Failure::Status { status, message: "no".into(), retry_after: None };
    ApiError { method: "GET", path: "/v2/pals".into(), failure }
}

/// A PAL that uses the face of its number.
fn row(number: usize) -> PalRow {
    let pal = Pal { id: format!("p{number}").parse().unwrap(), name: format!("PAL {number}") };
    PalRow { pal, default_face: Some(format!("r{number}").parse().unwrap()), is_said: true }
}

/// A page of `size` rows, counted from 1, out of the PALs with these numbers.
fn slice(numbers: std::ops::Range<usize>, page: u32, size: usize) -> PalPage {
    let total = numbers.len();
    let skipped = (page.max(1) as usize - 1) * size;
    let pals = numbers.skip(skipped).take(size).map(row).collect();
    PalPage { pals, unreadable_rows: 0, total_count: Some(total) }
}

/// How many faces are used, and why that may not be all.
async fn list<F: Fn(u32, usize) -> Result<PalPage, ApiError> + Send + Sync>(server: &Server<F>) -> (usize, String) {
    let ObservedPals { missing, by_face } = observe_pals(server).await.unwrap();
    (by_face.len(), missing.unwrap_or_else(|| "complete".to_owned()))
}

fn complete(faces: usize) -> (usize, String) {
    (faces, "complete".to_owned())
}

fn asked<F>(server: &Server<F>) -> Vec<u32> {
    server.asked.lock().unwrap().clone()
}

#[tokio::test]
async fn a_stable_list_takes_one_request_per_full_page() {
    for (pals, requests) in [(0, 1), (1, 1), (99, 1), (100, 1), (101, 2), (1000, 10), (1001, 11)] {
        let server = server(|page, _| Ok(slice(0..pals, page, 100)));
        assert_eq!(list(&server).await, complete(pals));
        assert_eq!(asked(&server).len(), requests, "{pals} PALs");
    }
}

#[tokio::test]
async fn a_server_that_counts_from_0_is_read_whole_whether_it_says_a_total_or_not() {
    for (pals, size) in [(3, 100), (101, 100), (25, 10)] {
        let server = server(|page, _| Ok(slice(0..pals, page + 1, size)));
        assert_eq!(list(&server).await, complete(pals), "{pals} PALs");
        let silent = self::server(|page, _| Ok(PalPage { total_count: None, ..slice(0..pals, page + 1, size) }));
        assert_eq!(list(&silent).await, complete(pals), "{pals} PALs, no total");
    }
}

#[tokio::test]
async fn a_server_that_counts_from_1_may_refuse_page_0_or_show_page_1_under_it() {
    let refuses = server(|page, _| match page {
        0 => Err(error(422)),
        page => Ok(PalPage { total_count: None, ..slice(0..5, page, 100) }),
    });
    assert_eq!(list(&refuses).await, complete(5));
    let shows = server(|page, _| {
        let unreadable_rows = usize::from(page < 2);
        Ok(PalPage { total_count: None, unreadable_rows, ..slice(0..5, page, 100) })
    });
    assert_eq!(list(&shows).await, (5, "1 row of the listing of PALs cannot be read".to_owned()), "counted once");
}

#[tokio::test]
async fn a_server_that_ignores_the_page_is_believed_only_where_its_total_says_that_this_is_all() {
    let all = server(|_, _| Ok(slice(0..5, 1, 5)));
    assert_eq!((list(&all).await, asked(&all)), (complete(5), vec![1]));
    let part = server(|_, _| Ok(PalPage { total_count: Some(9), ..slice(0..5, 1, 5) }));
    assert_eq!(list(&part).await, (5, "the API counts 9 PALs and lists 5".to_owned()));
    let silent = server(|_, _| Ok(PalPage { total_count: None, ..slice(0..5, 1, 5) }));
    let why = "the API says no total of PALs and repeats a page, so that more may follow";
    assert_eq!(list(&silent).await, (5, why.to_owned()));
}

#[tokio::test]
async fn a_pal_that_goes_between_two_pages_and_shifts_another_one_out_of_sight_is_noticed() {
    // The first one is deleted after page 1 was read: the third moves to page 1, and is never shown.
    let server = server(|page, before| match before {
        0 => Ok(slice(0..4, page, 2)),
        _ => Ok(slice(1..4, page, 2)),
    });
    assert_eq!(list(&server).await, complete(3), "a second reading shows all that are left");
    assert!(asked(&server).len() > 2);
}

#[tokio::test]
async fn a_list_that_never_stands_still_proves_nothing_and_keeps_all_it_showed() {
    let server = server(|page, before| {
        let total_count = Some(4 + before);
        Ok(PalPage { total_count, ..slice(0..4, page, 2) })
    });
    assert_eq!(list(&server).await, (4, "PALs came or went while they were listed".to_owned()));
}

#[tokio::test]
async fn a_row_without_an_id_proves_nothing_wherever_it_stands() {
    for (blurred, total) in [(1, Some(20)), (2, Some(20)), (1, None), (2, None)] {
        let server = server(|page, _| {
            if page == 0 {
                return Err(error(400));
            }
            let mut shown = PalPage { total_count: total, ..slice(0..20, page, 10) };
            if page == blurred && !shown.pals.is_empty() {
                shown.pals.remove(0);
                shown.unreadable_rows = 1;
            }
            Ok(shown)
        });
        let (faces, why) = list(&server).await;
        assert_eq!((faces, why.as_str()), (19, "1 row of the listing of PALs cannot be read"), "page {blurred}");
    }
}

#[tokio::test]
async fn a_page_of_nothing_but_rows_without_an_id_does_not_hide_the_pages_after_it() {
    for total in [Some(30), None] {
        let server = server(|page, _| {
            let mut shown = PalPage { total_count: total, ..slice(0..30, page, 10) };
            if page == 2 {
                (shown.pals, shown.unreadable_rows) = (Vec::new(), 10);
            }
            Ok(shown)
        });
        let (faces, why) = list(&server).await;
        assert!(why != "complete" && (faces == 20 || total.is_none()), "{faces}: {why}");
    }
}

#[tokio::test]
async fn a_listing_of_pals_that_never_ends_ends() {
    let server = server(|page, _| {
        Ok(PalPage { pals: vec![row(page as usize)], unreadable_rows: 0, total_count: Some(usize::MAX) })
    });
    assert_eq!(list(&server).await, (1000, "the listing of PALs has more than 1000 pages".to_owned()));
}

#[tokio::test]
async fn half_a_listing_is_never_an_answer() {
    for (failing, status) in [(1, 401), (2, 404), (3, 500), (0, 500)] {
        let server = server(|page, _| match page {
            page if page == failing => Err(error(status)),
            page => Ok(PalPage { total_count: Some(400), ..slice(0..350, page, 100) }),
        });
        assert_eq!(observe_pals(&server).await, Err(error(status)), "page {failing}");
    }
}

#[tokio::test]
async fn a_row_that_says_nothing_about_a_face_is_looked_at_by_itself() {
    let silent = |_: u32, _: usize| {
        let pals = vec![PalRow { default_face: None, is_said: false, ..row(1) }, row(2)];
        Ok(PalPage { pals, unreadable_rows: 0, total_count: Some(2) })
    };
    let looked = [
        (Ok(Some(row(1))), Ok(2)),
        (Ok(Some(PalRow { default_face: None, is_said: false, ..row(1) })), Ok(1)),
        (Ok(None), Ok(1)),
        (Err(error(500)), Err(error(500))),
    ];
    for (shown, expected) in looked {
        let server = Server { shown: Mutex::new(vec![shown.clone()]), ..server(silent) };
        assert_eq!(observe_pals(&server).await.map(|pals| pals.by_face.len()), expected, "{shown:?}");
    }
    let message = "Invalid persona_id".to_owned();
    let unknown = Failure::Status { status: 400, message, retry_after: None };
    let shown = Err(ApiError { failure: unknown, ..error(400) });
    let server_of_another_account = Server { shown: Mutex::new(vec![shown]), ..server(silent) };
    let pals = observe_pals(&server_of_another_account).await.unwrap();
    assert!(pals.missing.is_some_and(|why| why.contains("is listed, and cannot be looked at")), "it may use any face");
    let named = server(|_, _| {
        let pals = vec![PalRow { default_face: None, ..row(1) }];
        Ok(PalPage { pals, unreadable_rows: 0, total_count: Some(1) })
    });
    *named.shown.lock().unwrap() = vec![Err(error(500))];
    assert_eq!(list(&named).await, complete(0), "one that says that it uses none is not asked again");
}

#[tokio::test]
async fn what_came_of_a_patch_is_what_the_pal_shows_afterwards_and_not_what_was_answered() {
    let uses = |face: &str| Ok(Some(PalRow { default_face: Some(face.parse().unwrap()), ..row(1) }));
    let lost = ApiError { failure: Failure::NoAnswer("reset".into()), ..error(0) };
    let cases = [
        (Ok(()), uses("r2"), Ok(Repointed::Done), "all is well"),
        (Err(lost.clone()), uses("r2"), Ok(Repointed::Done), "the answer was lost"),
        (Err(error(400)), uses("r2"), Ok(Repointed::Done), "the guard fails, as it was done before"),
        (Ok(()), uses("r1"), Ok(Repointed::NotPublished), "it became a draft"),
        (Err(error(409)), uses("r1"), Ok(Repointed::UnpublishedEdits), "somebody edits it"),
        (Err(error(409)), uses("r2"), Ok(Repointed::Done), "they have published it meanwhile"),
        (Err(lost.clone()), uses("r1"), Err(lost), "it never arrived"),
        (Err(error(500)), uses("r1"), Err(error(500)), "the API is ill"),
        (Err(error(400)), uses("r3"), Ok(Repointed::NoLongerOurs), "somebody pointed it elsewhere"),
        (Err(error(404)), Ok(None), Ok(Repointed::NoLongerOurs), "it is gone"),
        (Ok(()), Err(error(500)), Err(error(500)), "nobody can say what it uses now"),
        (Err(error(401)), uses("r2"), Err(error(401)), "the key is refused"),
    ];
    let (from, to) = ("r1".parse().unwrap(), "r2".parse().unwrap());
    for (patched, shown, expected, why) in cases {
        let base = server(|_, _| Err(error(500)));
        let server = Server { patched, shown: Mutex::new(vec![shown]), ..base };
        assert_eq!(repoint(&server, &"p1".parse().unwrap(), &from, &to).await, expected, "{why}");
    }
}
