//! Bodies as documented. JSON field names and status words are known here and nowhere else.
//!
//! What we send is closed: exactly the documented fields, and only those that say something. What we read is
//! open: both generations of names, unknown fields, nulls, numbers where texts are documented; a row fails
//! only where it has no id that could be used.
//!
//! Sources: the pages of docs.tavus.io on faces, voices and conversations (read August to October 2026), the
//! vendor's OpenAPI document (August 2026), and live answers reported by integrators.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    CallbackError, CallbackHint, Conversation, ConversationRequest, CreateFace, FacePage, FaceUpdate, PalPage, PalRow,
    Voice, VoicePage, VoiceQuery,
};
use crate::face::{
    FaceId, ListedVoice, Model, ObservedFace, Ownership, Pal, PalId, Progress, TrainingInput, TrainingStatus,
    TrainingVoice, VoiceKind,
};
use crate::http::{MESSAGE_LIMIT, Place, Rows, WORD_LIMIT, clean, clean_name, read_rows};

#[cfg(test)]
mod tests;

/// Rows per page: 100 is the largest number known to work (observed, 2026).
pub(super) const PAGE_LIMIT: u32 = 100;

/// The longest error body that is looked into, in bytes.
const ERROR_LIMIT: usize = 64 << 10;

// ---- what we send ----

/// `POST /faces`.
#[derive(Debug, Serialize)]
struct CreateBody<'a> {
    face_name: &'a str,
    model_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    train_video_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    train_image_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    voice_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_voice_id: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    auto_fix_training_image: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    callback_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Properties>,
}

#[derive(Debug, Serialize)]
struct Properties {
    background_green_screen: bool,
}

/// Returns the body of a create. Whoever shows it must redact it: its links are credentials.
pub(super) fn create_body(request: &CreateFace) -> Value {
    let CreateFace { face_name, model, training, link, callback_url, green_screen } = request;
    let mut body = CreateBody {
        face_name,
        model_name: model.as_str(),
        train_video_url: None,
        train_image_url: None,
        voice_name: None,
        default_voice_id: None,
        auto_fix_training_image: false,
        // Some examples send an empty text for "none"; leaving it out means the same and cannot be mistaken.
        callback_url: callback_url.as_ref().map(|link| link.expose()),
        properties: green_screen.then_some(Properties { background_green_screen: true }),
    };
    match training {
        // No voice: one is made from the recording, and a voice id is documented for photos only.
        TrainingInput::Video { source: _ } => body.train_video_url = Some(link.expose()),
        TrainingInput::Image { source: _, voice, auto_fix } => {
            body.train_image_url = Some(link.expose());
            body.auto_fix_training_image = *auto_fix;
            match voice {
                TrainingVoice::Stock(slug) => body.voice_name = Some(slug.as_str()),
                TrainingVoice::Id(id) => body.default_voice_id = Some(id.as_str()),
            }
        }
    }
    json(&body)
}

/// `PATCH /faces/{face_id}`, a merge patch.
#[derive(Debug, Serialize)]
struct UpdateBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    face_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_voice_id: Option<&'a str>,
}

/// Returns the body of an update, or none where it would change nothing: the API wants one field at least.
pub(super) fn update_body(update: &FaceUpdate) -> Option<Value> {
    let FaceUpdate { face_name, default_voice } = update;
    let body = UpdateBody {
        face_name: face_name.as_deref(),
        default_voice_id: default_voice.as_ref().map(|voice| voice.as_str()),
    };
    (face_name.is_some() || default_voice.is_some()).then(|| json(&body))
}

/// `POST /conversations`, in the new words, which live answers show to be taken.
#[derive(Debug, Serialize)]
struct ConversationBody<'a> {
    face_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pal_id: Option<&'a str>,
    test_mode: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation_name: Option<&'a str>,
}

/// Returns the body of a conversation request. `test_mode` is always said, as forgetting it costs money.
pub(super) fn conversation_body(request: &ConversationRequest) -> Value {
    let ConversationRequest { face, pal, test_mode, name } = request;
    json(&ConversationBody {
        face_id: face.as_str(),
        pal_id: pal.as_deref(),
        test_mode: *test_mode,
        conversation_name: name.as_deref(),
    })
}

fn json(body: &impl Serialize) -> Value {
    // Structs of texts and flags: there is nothing in them that JSON could not hold.
    serde_json::to_value(body).unwrap_or(Value::Null)
}

/// Returns where a page of voices is asked for (List Voices page; `source` by the contract of September 2026).
pub(super) fn voices_path(page: u32, query: &VoiceQuery) -> String {
    let VoiceQuery { search, is_of_all_sources } = query;
    let mut pairs = url::form_urlencoded::Serializer::new(String::new());
    pairs.append_pair("limit", &PAGE_LIMIT.to_string()).append_pair("page", &page.to_string());
    if let Some(search) = search {
        pairs.append_pair("search", search);
    }
    if *is_of_all_sources {
        pairs.append_pair("source", "all");
    }
    format!("/voices?{}", pairs.finish())
}

// ---- what we read ----

/// Reads a page of `GET /faces`.
pub(super) fn face_page(body: &[u8]) -> Result<FacePage, String> {
    let Rows { rows: faces, unreadable: unreadable_rows, first_unreadable, beside } = page(body, face_row)?;
    Ok(FacePage { faces, unreadable_rows, first_unreadable, total_count: count(beside) })
}

/// Reads a page of a listing. A server that shows more rows than it was asked for may show all of a small account; ten
/// times as many are no page.
fn page<T>(body: &[u8], row: fn(&Map<String, Value>) -> Option<T>) -> Result<Rows<T>, String> {
    let place = Place::Under { rows: "data", beside: "total_count" };
    read_rows(body, place, 10 * PAGE_LIMIT as usize, |object| row(&object)).map_err(|why| match beginning(body) {
        start if start.is_empty() => "the body is empty".to_owned(),
        start => format!("wanted a page of {PAGE_LIMIT} rows under `data`: {why}: {start}"),
    })
}

/// How many there are in all, as a number or as text.
fn count(beside: Option<Value>) -> Option<usize> {
    match beside? {
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(number) => number.as_u64()?.try_into().ok(),
        _ => None,
    }
}

/// Reads `GET /faces/{face_id}` and sees to it that it is the face that was asked for.
pub(super) fn face(body: &[u8], asked: &FaceId) -> Result<ObservedFace, String> {
    let value = parse(body)?;
    let face = bare(&value, FACE_ID).and_then(face_row).ok_or_else(|| unlike("a face", body))?;
    if face.id == *asked { Ok(face) } else { Err(format!("asked for {asked}, got {}", face.id)) }
}

/// Reads the id in the answer to a create.
pub(super) fn created_id(body: &[u8]) -> Result<FaceId, String> {
    let value = parse(body)?;
    let id = bare(&value, FACE_ID).and_then(|object| text(Some(object), FACE_ID));
    id.and_then(|id| id.parse().ok()).ok_or_else(|| unlike("an object with a usable `face_id`", body))
}

/// `PATCH /pals/{pal_id}`: a JSON Patch, unlike the merge patch of faces. The guard comes first: with it a PAL that
/// somebody pointed elsewhere meanwhile is not touched. `add` works whether the field exists or not (RFC 6902).
pub(super) fn pal_patch(from: &FaceId, to: &FaceId) -> Value {
    serde_json::json!([
        { "op": "test", "path": "/default_face_id", "value": from },
        { "op": "add", "path": "/default_face_id", "value": to },
    ])
}

/// Reads a page of `GET /pals`.
pub(super) fn pal_page(body: &[u8]) -> Result<PalPage, String> {
    let Rows { rows: pals, unreadable: unreadable_rows, first_unreadable: _, beside } = page(body, pal_row)?;
    Ok(PalPage { pals, unreadable_rows, total_count: count(beside) })
}

/// Reads `GET /pals/{pal_id}`, bare or in an array (contract and live answers differ), and sees to it that it is
/// the PAL that was asked for.
pub(super) fn pal(body: &[u8], asked: &PalId) -> Result<PalRow, String> {
    let value = parse(body)?;
    let row = bare(&value, PAL_ID).and_then(pal_row).ok_or_else(|| unlike("a PAL", body))?;
    if row.pal.id == *asked { Ok(row) } else { Err(format!("asked for {asked}, got {}", row.pal.id)) }
}

const PAL_ID: &[&str] = &["pal_id", "persona_id"];
const PAL_FACE: &[&str] = &["default_face_id", "default_replica_id"];

fn pal_row(row: &Map<String, Value>) -> Option<PalRow> {
    let is_said = PAL_FACE.iter().any(|name| row.contains_key(*name));
    let row = Some(row);
    let id = text(row, PAL_ID)?.parse().ok()?;
    let name = text(row, &["pal_name", "persona_name"]).map(|name| clean_name(&name)).unwrap_or_default();
    // Null, absent and an empty text all mean none (seen in 2026).
    let default_face = text(row, PAL_FACE).and_then(|id| id.parse().ok());
    Some(PalRow { pal: Pal { id, name }, default_face, is_said })
}

/// Reads `GET /voices/{voice_id}`.
pub(super) fn voice(body: &[u8]) -> Result<Voice, String> {
    let value = parse(body)?;
    let object = bare(&value, &["voice_id"]);
    let id = text(object, &["voice_id"]).and_then(|id| id.parse().ok()).ok_or_else(|| unlike("a voice", body))?;
    let status = text(object, &["status"]).map(|word| clean(&word, WORD_LIMIT)).unwrap_or_default();
    Ok(Voice {
        id,
        name: text(object, &["voice_name"]).map(|name| clean_name(&name)).unwrap_or_default(),
        is_completed: matches!(status.to_lowercase().as_str(), "completed" | "ready"),
        status,
    })
}

/// Reads a page of `GET /voices`: rows of stock voices, which have a slug and rarely an id, and rows of voices.
pub(super) fn voice_page(body: &[u8]) -> Result<VoicePage, String> {
    let Rows { rows: voices, unreadable: unreadable_rows, first_unreadable: _, beside } = page(body, voice_row)?;
    Ok(VoicePage { voices, unreadable_rows, total_count: count(beside) })
}

fn voice_row(row: &Map<String, Value>) -> Option<ListedVoice> {
    let tags = row.get("tags").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let row = Some(row);
    let id = match text(row, &["voice_id"]) {
        // An id that cannot be used is not the same as none: the name of such a voice is no slug.
        Some(id) => Some(id.parse().ok()?),
        None => None,
    };
    let name = text(row, &["voice_name"]).map(|name| clean_name(&name));
    Some(ListedVoice {
        name: name.or_else(|| id.as_ref().map(ToString::to_string))?,
        id,
        kind: match text(row, &["voice_type"]).map(|word| word.to_lowercase()).as_deref() {
            Some("user") => VoiceKind::User,
            _ => VoiceKind::Stock,
        },
        status: text(row, &["status"]).map(|word| clean(&word, WORD_LIMIT)),
        description: text(row, &["description"]).map(|words| clean(&words, MESSAGE_LIMIT)),
        tags: tags.iter().filter_map(tag).collect(),
        linked_face: text(row, FACE_ID),
    })
}

/// Tags are texts on voices, and objects on stock rows (both seen, October 2026).
fn tag(value: &Value) -> Option<String> {
    let word = match value {
        Value::Object(object) => text(Some(object), &["tag_name", "name"])?,
        other => other.as_str()?.trim().to_owned(),
    };
    Some(clean(&word, WORD_LIMIT)).filter(|word| !word.is_empty())
}

/// Reads the answer to `POST /conversations`.
pub(super) fn conversation(body: &[u8]) -> Result<Conversation, String> {
    let value = parse(body)?;
    let object = bare(&value, &["conversation_id"]);
    let id = text(object, &["conversation_id"]).ok_or_else(|| unlike("a conversation", body))?;
    // People open this link, so it is kept whole, but only if it is one.
    let url = text(object, &["conversation_url"]).and_then(|link| url::Url::parse(&link).ok());
    Ok(Conversation {
        id: clean(&id, WORD_LIMIT),
        url: url.filter(|link| matches!(link.scheme(), "https" | "http")).map(String::from),
        status: text(object, &["status"]).map(|word| clean(&word, WORD_LIMIT)).unwrap_or_default(),
    })
}

/// Returns what an error body says: `error`, else `message`, else its beginning. No common shape exists (error
/// pages and live answers, 2026).
pub(super) fn error_message(body: &[u8]) -> String {
    // What is longer says nothing that a person could read, and would be many times as long in memory.
    let value = (body.len() <= ERROR_LIMIT).then(|| serde_json::from_slice::<Value>(body).ok()).flatten();
    let object = value.as_ref().and_then(Value::as_object);
    match text(object, &["error", "message"]) {
        Some(message) => clean(&message, MESSAGE_LIMIT),
        None => beginning(body),
    }
}

/// Returns whether an error text says that an id names nothing of ours: `Invalid face_id`, or one of the old
/// words, which also come on the new paths (observed, 2026).
pub(super) fn is_invalid_id(message: &str) -> bool {
    let message = message.to_lowercase();
    let words =
        ["face_id", "face_uuid", "replica_id", "replica_uuid", "voice_id", "voice_uuid", "pal_id", "persona_id"];
    message.starts_with("invalid ") && words.iter().any(|word| message.contains(word))
}

/// Reads the body of a training callback.
pub(super) fn callback(body: &[u8]) -> Result<CallbackHint, CallbackError> {
    let value = parse(body).map_err(CallbackError::NotJson)?;
    let object = bare(&value, FACE_ID);
    let face_id = text(object, FACE_ID).and_then(|id| id.parse().ok()).ok_or(CallbackError::NotAFace)?;
    let finetune = text(object, &["finetune_status"]);
    let status = text(object, &["status"]).map(|status| training_status(&status, finetune.as_deref(), None));
    let error = text(object, &["error_message"]).map(|message| clean(&message, MESSAGE_LIMIT));
    Ok(CallbackHint { face_id, status, error })
}

const FACE_ID: &[&str] = &["face_id", "replica_id"];

fn face_row(row: &Map<String, Value>) -> Option<ObservedFace> {
    let row = Some(row);
    let id = text(row, FACE_ID)?.parse().ok()?;
    let model = text(row, &["model_name"]).map(|word| clean(&word, WORD_LIMIT));
    let status = text(row, &["status"]).unwrap_or_default();
    let finetune = text(row, &["finetune_status"]);
    Some(ObservedFace {
        id,
        // Blanks at its ends stay: a name that differs from ours by them is a name that differs.
        name: verbatim(row, &["face_name", "replica_name"]).map(|name| clean_name(&name)),
        status: training_status(&status, finetune.as_deref(), model.as_deref()),
        model,
        progress: text(row, &["training_progress"]).and_then(|progress| parse_progress(&progress)),
        error: text(row, &["error_message"]).map(|message| clean(&message, MESSAGE_LIMIT)),
        default_voice: text(row, &["default_voice_id"]).and_then(|voice| voice.parse().ok()),
        ownership: ownership(text(row, &["face_type", "replica_type"]).as_deref()),
        created_at: text(row, &["created_at"]).and_then(|time| parse_time(&time)),
    })
}

/// Turns the API's two words into one state (state table and preview pages, October 2026; words without case).
///
/// | status | finetune_status | model | state |
/// |---|---|---|---|
/// | started | not looked at | any | training |
/// | error, errored | not looked at | any | failed |
/// | completed, ready | not looked at | phoenix-3, phoenix-4 | ready |
/// | completed, ready | completed, ready | others | ready |
/// | completed, ready | training, started | others | preview |
/// | completed, ready | errored, error | others | tuning failed |
/// | completed, ready | none | phoenix-4.5 | preview |
/// | completed, ready | none | unknown or absent | ready |
/// | completed, ready | another word | others | unknown |
/// | another word, or none | any | any | unknown |
///
/// A phoenix-4.5 face may show no second word right after its preview, so it is not taken for finished. For a
/// model we do not know, a second stage is known to exist only where the API shows one: waiting for a word
/// that never comes would wait for ever.
fn training_status(status: &str, finetune: Option<&str>, model: Option<&str>) -> TrainingStatus {
    let model = model.unwrap_or_default().to_lowercase();
    let is_one_stage = model == Model::Phoenix3.as_str() || model == Model::Phoenix4.as_str();
    let has_preview = model == Model::Phoenix45.as_str();
    match (status.to_lowercase().as_str(), finetune.map(str::to_lowercase).as_deref()) {
        ("started", _) => TrainingStatus::Training,
        // `errored` is documented for the other field only; two words for one thing in one API.
        ("error" | "errored", _) => TrainingStatus::Failed,
        ("completed" | "ready", _) if is_one_stage => TrainingStatus::Ready,
        ("completed" | "ready", Some("completed" | "ready")) => TrainingStatus::Ready,
        ("completed" | "ready", Some("training" | "started")) => TrainingStatus::Preview,
        ("completed" | "ready", Some("errored" | "error")) => TrainingStatus::TuningFailed,
        ("completed" | "ready", None) if has_preview => TrainingStatus::Preview,
        ("completed" | "ready", None) => TrainingStatus::Ready,
        ("completed" | "ready", Some(word)) => {
            TrainingStatus::Unknown(format!("completed/{}", clean(word, WORD_LIMIT)))
        }
        ("", _) => TrainingStatus::Unknown("(no status)".to_owned()),
        _ => TrainingStatus::Unknown(clean(status, WORD_LIMIT)),
    }
}

/// The contract's own example is `user'`, a misprint that may have come from somewhere.
fn ownership(word: Option<&str>) -> Ownership {
    match word.map(|word| word.trim_matches(['\'', '"']).to_lowercase()).as_deref() {
        Some("user") => Ownership::User,
        Some("system") => Ownership::System,
        _ => Ownership::Unsaid,
    }
}

/// `20/100`; a bare number is read as per cent. Anything else says nothing: it is for display only.
fn parse_progress(text: &str) -> Option<Progress> {
    let (done, total) = text.split_once('/').unwrap_or((text, "100"));
    let progress = Progress { done: done.trim().parse().ok()?, total: total.trim().parse().ok()? };
    (progress.total > 0 && progress.done <= progress.total).then_some(progress)
}

/// Three spellings are in use; a time without a zone is read as UTC.
fn parse_time(text: &str) -> Option<Timestamp> {
    let with_zone = text.parse::<Timestamp>().ok();
    with_zone.or_else(|| text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp()))
}

/// Returns the first of the fields that says something, as text without blanks around it.
fn text(object: Option<&Map<String, Value>>, names: &[&str]) -> Option<String> {
    verbatim(object, names).map(|text| text.trim().to_owned())
}

/// Returns the first of the fields that says something, as it came. Null, blank, flags, lists and objects say nothing.
fn verbatim(object: Option<&Map<String, Value>>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| match object?.get(*name)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// Returns the object itself, or the one inside `data`: contract and live answers have disagreed about that for
/// PALs, so it is not relied on for anything.
fn bare<'a>(value: &'a Value, id: &[&str]) -> Option<&'a Map<String, Value>> {
    let object = value.as_object()?;
    if id.iter().any(|name| object.contains_key(*name)) {
        return Some(object);
    }
    match object.get("data")? {
        Value::Object(inner) => Some(inner),
        Value::Array(items) if items.len() == 1 => items.first()?.as_object(),
        _ => None,
    }
}

fn parse(body: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(body).map_err(|error| match beginning(body) {
        start if start.is_empty() => "the body is empty".to_owned(),
        start => format!("{error}: {start}"),
    })
}

fn unlike(wanted: &str, body: &[u8]) -> String {
    format!("wanted {wanted}, got: {}", beginning(body))
}

fn beginning(body: &[u8]) -> String {
    clean(&String::from_utf8_lossy(body), 200)
}
