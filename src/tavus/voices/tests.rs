use std::sync::Mutex;

use super::*;
use crate::face::{FaceId, ObservedFace, PalId, VoiceId, VoiceKind, VoiceUse};
use crate::tavus::{FacePage, PalPage, PalRow, Voice};

/// A server made of one function of page and query, which remembers what it was asked.
struct Server<F> {
    answer: F,
    asked: Mutex<Vec<(u32, bool)>>,
}

impl<F: Fn(u32, &VoiceQuery) -> Result<VoicePage, u16> + Send + Sync> FaceReads for Server<F> {
    async fn face_page(&self, _: u32) -> Result<FacePage, ApiError> {
        Err(error(500))
    }

    async fn face(&self, _: &FaceId) -> Result<Option<ObservedFace>, ApiError> {
        Err(error(500))
    }

    async fn pal_page(&self, _: u32) -> Result<PalPage, ApiError> {
        Ok(PalPage { pals: Vec::new(), unreadable_rows: 0, total_count: Some(0) })
    }

    async fn pal(&self, _: &PalId) -> Result<Option<PalRow>, ApiError> {
        Ok(None)
    }

    async fn voice(&self, _: &VoiceId) -> Result<Option<Voice>, ApiError> {
        Err(error(500))
    }

    async fn voice_page(&self, page: u32, query: &VoiceQuery) -> Result<VoicePage, ApiError> {
        self.asked.lock().unwrap().push((page, query.is_of_all_sources));
        (self.answer)(page, query).map_err(error)
    }
}

fn error(status: u16) -> ApiError {
    let failure = Failure::Status { status, message: "no".into(), retry_after: None };
    ApiError { method: "GET", path: "/v2/voices".into(), failure }
}

fn stock(name: &str) -> ListedVoice {
    ListedVoice {
        id: None,
        name: name.to_owned(),
        kind: VoiceKind::Stock,
        status: None,
        description: None,
        tags: Vec::new(),
        linked_face: None,
    }
}

fn voice(id: &str, name: &str, kind: VoiceKind, status: &str) -> ListedVoice {
    ListedVoice { id: Some(id.parse().unwrap()), kind, status: Some(status.to_owned()), ..stock(name) }
}

/// A page of `size` of these rows.
fn slice(rows: &[ListedVoice], page: u32, size: usize, total: Option<usize>) -> VoicePage {
    let skipped = (page.max(1) as usize - 1) * size;
    let voices = rows.iter().skip(skipped).take(size).cloned().collect();
    VoicePage { voices, unreadable_rows: 0, total_count: total }
}

type Asked = Vec<(u32, bool)>;

async fn list(
    answer: impl Fn(u32, &VoiceQuery) -> Result<VoicePage, u16> + Send + Sync,
    search: Option<&str>,
) -> (Vec<String>, Option<String>, Asked) {
    let server = Server { answer, asked: Mutex::default() };
    let Voices { voices, doubt } = list_voices(&server, search).await.unwrap();
    let shown = |voice: &ListedVoice| voice.id.as_ref().map_or_else(|| voice.name.clone(), ToString::to_string);
    (voices.iter().map(shown).collect(), doubt, server.asked.into_inner().unwrap())
}

#[tokio::test]
async fn both_listings_are_read_to_their_ends_and_put_together() {
    let slugs = ["anna", "ben", "carla"].map(stock);
    let voices = [voice("v2", "Ana", VoiceKind::User, "completed"), voice("v1", "anna", VoiceKind::Stock, "completed")];
    let answer = |page: u32, query: &VoiceQuery| match query.is_of_all_sources {
        false => Ok(slice(&slugs, page, 2, Some(3))),
        true => Ok(slice(&voices, page, 2, Some(2))),
    };
    let (found, doubt, asked) = list(answer, None).await;
    assert_eq!((found, doubt), (["v2", "anna", "v1", "ben", "carla"].map(str::to_owned).to_vec(), None));
    assert_eq!(asked, [(1, false), (2, false), (1, true)]);
}

#[tokio::test]
async fn a_server_without_sources_is_listed_once_whether_it_refuses_or_ignores_them() {
    let slugs = ["anna", "ben"].map(stock);
    for refuses in [false, true] {
        let answer = |page: u32, query: &VoiceQuery| match query.is_of_all_sources && refuses {
            true => Err(422),
            false => Ok(slice(&slugs, page, 10, Some(2))),
        };
        let (found, doubt, _) = list(answer, None).await;
        assert_eq!((found, doubt), (vec!["anna".to_owned(), "ben".to_owned()], None));
    }
}

#[tokio::test]
async fn without_a_total_an_empty_page_ends_it_and_without_pages_it_says_so() {
    let slugs = ["anna", "ben", "carla"].map(stock);
    let (found, doubt, asked) = list(|page, _: &VoiceQuery| Ok(slice(&slugs, page, 2, None)), None).await;
    assert_eq!((found.len(), doubt), (3, None));
    assert_eq!(asked[..4], [(1, false), (2, false), (3, false), (0, false)]);
    let (found, doubt, _) = list(|_, _: &VoiceQuery| Ok(slice(&slugs, 1, 2, None)), None).await;
    assert_eq!(found.len(), 2);
    assert!(doubt.unwrap().contains("repeats a page"));
}

#[tokio::test]
async fn pages_may_be_counted_from_0_and_what_is_missing_all_the_same_is_said() {
    let slugs = ["anna", "ben", "carla"].map(stock);
    let (found, doubt, _) = list(|page, _: &VoiceQuery| Ok(slice(&slugs, page + 1, 2, Some(3))), None).await;
    assert_eq!((found.len(), doubt), (3, None));
    let (found, doubt, _) = list(|page, _: &VoiceQuery| Ok(slice(&slugs, page, 2, Some(9))), None).await;
    assert_eq!((found.len(), doubt.as_deref()), (3, Some("the API counts 9 voices and lists 3")));
}

#[tokio::test]
async fn one_slug_of_several_stock_faces_is_one_voice() {
    let of = |face: &str| ListedVoice { linked_face: Some(face.to_owned()), ..stock("anna") };
    let rows = [of("r1"), of("r2")];
    let (found, doubt, _) = list(|page, _: &VoiceQuery| Ok(slice(&rows, page, 1, Some(2))), None).await;
    assert_eq!((found, doubt), (vec!["anna".to_owned()], None));
}

#[tokio::test]
async fn a_server_that_does_not_search_is_helped_out_whatever_the_case() {
    let slugs = ["anna", "Hannah", "ben"].map(stock);
    let answer = |page: u32, query: &VoiceQuery| {
        assert_eq!(query.search.as_deref(), Some("ANN"));
        Ok(slice(&slugs, page, 10, Some(3)))
    };
    let (found, doubt, _) = list(answer, Some("ANN")).await;
    assert_eq!((found, doubt), (vec!["anna".to_owned(), "Hannah".to_owned()], None));
}

#[test]
fn what_can_be_used_says_how() {
    let slug = Some(VoiceUse::Name("anna".parse().unwrap()));
    let id = Some(VoiceUse::Id("v1".parse().unwrap()));
    let with_id = ListedVoice { id: Some("v1".parse().unwrap()), ..stock("anna") };
    for (row, usage, why) in [
        (stock("Anna"), slug.clone(), "a slug is compared without case"),
        (with_id.clone(), slug, "without a status it is a stock row, whatever its id"),
        (voice("v1", "Anna", VoiceKind::Stock, "Completed"), id.clone(), "a voice with an id"),
        (voice("v1", "Ana", VoiceKind::User, "ready"), id, "callbacks say ready for completed"),
        (voice("v1", "Ana", VoiceKind::User, "started"), None, "still being made"),
        (voice("v1", "Ana", VoiceKind::User, "error"), None, "failed"),
        (voice("v1", "Ana", VoiceKind::User, "paused"), None, "a word we do not know"),
        (ListedVoice { kind: VoiceKind::User, ..stock("Ana") }, None, "nothing to name it by"),
    ] {
        assert_eq!(row.usage(), usage, "{why}");
    }
}
