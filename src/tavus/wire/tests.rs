use proptest::prelude::*;

use super::*;
use crate::face::{Link, VoiceId};

fn page(rows: &str) -> FacePage {
    face_page(format!(r#"{{"data":[{rows}],"total_count":1}}"#).as_bytes()).unwrap()
}

fn row(fields: &str) -> ObservedFace {
    let mut page = page(&format!("{{{fields}}}"));
    assert_eq!((page.faces.len(), page.unreadable_rows), (1, 0), "{fields}");
    page.faces.remove(0)
}

#[test]
fn two_words_of_the_api_make_one_state() {
    use TrainingStatus::*;
    let unknown = |word: &str| Unknown(word.to_owned());
    for (model, status, finetune, state, why) in [
        (r#""phoenix-4""#, r#""started""#, "null", Training, "the first stage"),
        (r#""phoenix-4""#, r#""completed""#, "null", Ready, "one stage"),
        (r#""phoenix-3""#, r#""ready""#, "null", Ready, "callbacks say ready"),
        (r#""phoenix-4""#, r#""completed""#, r#""training""#, Ready, "no second stage exists"),
        (r#""phoenix-4""#, r#""error""#, "null", Failed, "failed"),
        (r#""phoenix-4.5""#, r#""started""#, "null", Training, "no preview yet"),
        (r#""phoenix-4.5""#, r#""Completed""#, r#""TRAINING""#, Preview, "words without case"),
        (r#""PHOENIX-4.5""#, r#""completed""#, "null", Preview, "the gap after the preview"),
        (r#""phoenix-4.5""#, r#""completed""#, r#""""#, Preview, "an empty word is none"),
        (r#""phoenix-4.5""#, r#""completed""#, r#""completed""#, Ready, "both stages"),
        (r#""phoenix-4.5""#, r#""ready""#, r#""ready""#, Ready, "both stages, in the words of callbacks"),
        (r#""phoenix-4.5""#, r#""completed""#, r#""errored""#, TuningFailed, "errored, not error"),
        (r#""phoenix-4.5""#, r#""completed""#, r#""error""#, TuningFailed, "error, not errored"),
        (r#""phoenix-4.5""#, r#""completed""#, r#""queued""#, unknown("completed/queued"), "never ready"),
        (r#""phoenix-4.5""#, r#""error""#, r#""completed""#, Failed, "the second word does not count"),
        (r#""phoenix-4.5""#, r#""errored""#, r#""training""#, Failed, "the second word does not count"),
        ("null", r#""completed""#, "null", Ready, "no model, no second stage shown"),
        (r#""phoenix-6""#, r#""completed""#, "null", Ready, "no second stage shown"),
        (r#""phoenix-6""#, r#""completed""#, r#""training""#, Preview, "the second word is followed"),
        (r#""phoenix-6""#, r#""completed""#, r#""errored""#, TuningFailed, "the second word is followed"),
        (r#""phoenix-4""#, r#""In_Review""#, "null", unknown("In_Review"), "kept as it came"),
        (r#""phoenix-4""#, "null", "null", unknown("(no status)"), "nothing said"),
        (r#""phoenix-4""#, "7", "null", unknown("7"), "a number"),
        (r#""phoenix-4""#, r#""a\u001b[2Jb""#, "null", unknown("a\\u{001B}[2Jb"), "shown to people"),
    ] {
        let row =
            row(&format!(r#""face_id":"r1","model_name":{model},"status":{status},"finetune_status":{finetune}"#));
        assert_eq!(row.status, state, "{model} {status} {finetune}: {why}");
    }
}

#[test]
fn old_and_new_names_read_alike() {
    let new = row(r#""face_id":"r1","face_name":"Ana","face_type":"user","status":"started""#);
    let old = row(r#""replica_id":"r1","replica_name":"Ana","replica_type":"user'","status":"started""#);
    assert_eq!(new, old);
    assert_eq!(new.ownership, Ownership::User);
    assert_eq!(row(r#""face_id":"r1","face_type":"SYSTEM""#).ownership, Ownership::System);
    assert_eq!(row(r#""face_id":"r1","face_type":null"#).ownership, Ownership::Unsaid);
}

#[test]
fn odd_fields_never_cost_a_row() {
    let odd = row(r#""face_id":12345,"face_name":7,"status":"started","training_progress":[1],"created_at":"",
           "default_voice_id":"","model_name":{"a":1},"error_message":false,"new_field":{"deep":[null]}"#);
    assert_eq!((odd.id.as_str(), odd.name.as_deref()), ("12345", Some("7")));
    assert_eq!((odd.progress, odd.created_at, odd.default_voice, odd.model), (None, None, None, None));
}

#[test]
fn a_row_without_a_usable_id_is_counted_not_hidden() {
    let page = page(r#"{"face_id":"r1"},{"face_id":null},{"face_id":"../x"},{"face_name":"x"},null,7,"r2""#);
    assert_eq!((page.faces.len(), page.unreadable_rows), (1, 6));
}

#[test]
fn progress_is_for_display_and_reads_as_far_as_it_can() {
    for (text, progress) in [
        (r#""20/100""#, Some((20, 100))),
        (r#"" 1 / 3 ""#, Some((1, 3))),
        ("42", Some((42, 100))),
        (r#""0/0""#, None),
        (r#""120/100""#, None),
        (r#""-1/100""#, None),
        ("0.5", None),
        (r#""soon""#, None),
        ("null", None),
        (r#""99999999999/100""#, None),
    ] {
        let read = row(&format!(r#""face_id":"r1","training_progress":{text}"#)).progress;
        assert_eq!(read.map(|p| (p.done, p.total)), progress, "{text}");
    }
}

#[test]
fn three_spellings_of_one_time_are_the_same_time() {
    for text in ["2026-08-17T12:00:00.5Z", "2026-08-17T12:00:00.500000", "2026-08-17 12:00:00.500000"] {
        let time = row(&format!(r#""face_id":"r1","created_at":"{text}""#)).created_at;
        assert_eq!(time.map(|t| t.to_string()).as_deref(), Some("2026-08-17T12:00:00.5Z"), "{text}");
    }
    for text in ["", "yesterday", "2026-13-01T00:00:00Z"] {
        assert_eq!(row(&format!(r#""face_id":"r1","created_at":"{text}""#)).created_at, None, "{text}");
    }
}

#[test]
fn texts_of_unknown_origin_are_made_harmless() {
    let face = row(r#""face_id":"r1","face_name":"A\u001b[31mna [fc-k3j7x2m7-qa4bd2-1]",
           "error_message":"cannot fetch https://m.example.com/a?X-Amz-Signature=hush\u001b[0m\n!""#);
    let error = face.error.clone().unwrap();
    assert!(!error.contains("hush") && !error.contains('\u{1b}'), "{error}");
    assert_eq!(face.shown_name(), "A\u{FFFD}[31mna");
    assert!(face.token().is_some());
}

#[test]
fn pages_that_are_no_pages_are_refused_and_totals_are_optional() {
    for body in ["", "<html>", "[]", r#"{"data":{}}"#, r#"{"total_count":3}"#, r#"{"data":null}"#] {
        assert!(face_page(body.as_bytes()).is_err(), "{body}");
    }
    for (total, read) in [("7", Some(7)), (r#""7""#, Some(7)), ("null", None), ("-1", None), ("1.5", None)] {
        let page = face_page(format!(r#"{{"data":[],"total_count":{total}}}"#).as_bytes()).unwrap();
        assert_eq!(page.total_count, read, "{total}");
    }
}

#[test]
fn a_single_face_is_the_one_that_was_asked_for() {
    let id: FaceId = "r1".parse().unwrap();
    for body in [r#"{"face_id":"r1"}"#, r#"{"data":{"replica_id":"r1"}}"#, r#"{"data":[{"face_id":"r1"}]}"#] {
        assert!(face(body.as_bytes(), &id).is_ok(), "{body}");
    }
    for body in [r#"{"face_id":"r2"}"#, "{}", r#"{"data":[]}"#, "null", ""] {
        assert!(face(body.as_bytes(), &id).is_err(), "{body}");
    }
}

#[test]
fn only_a_usable_id_makes_a_create_accepted() {
    for body in [r#"{"face_id":"r1","status":"started"}"#, r#"{"replica_id":"r1"}"#, r#"{"face_id":"r1","status":7}"#] {
        assert_eq!(created_id(body.as_bytes()).unwrap().as_str(), "r1", "{body}");
    }
    for body in ["", "{}", r#"{"face_id":null}"#, r#"{"face_id":""}"#, r#"{"face_id":"a b"}"#, r#"["r1"]"#, "<html>"] {
        assert!(created_id(body.as_bytes()).is_err(), "{body}");
    }
}

fn create(training: TrainingInput) -> CreateFace {
    let link = training.source().link().unwrap().clone();
    CreateFace {
        face_name: "Ana [fc-k3j7x2m7-qa4bd2-1]".into(),
        model: Model::Phoenix45,
        training,
        link,
        callback_url: None,
        green_screen: false,
    }
}

#[test]
fn a_create_sends_exactly_the_documented_fields() {
    let source = crate::face::TrainingSource::from(Link::parse("https://m.example.com/a.mp4?sig=1&sv=2").unwrap());
    let video = create(TrainingInput::Video { source: source.clone() });
    assert_eq!(
        create_body(&video).to_string(),
        r#"{"face_name":"Ana [fc-k3j7x2m7-qa4bd2-1]","model_name":"phoenix-4.5","train_video_url":"https://m.example.com/a.mp4?sig=1&sv=2"}"#
    );
    let stock = TrainingVoice::Stock("Anna".parse().unwrap());
    let mut image = create(TrainingInput::Image { source: source.clone(), voice: stock, auto_fix: true });
    image.callback_url = Some(Link::parse("https://hooks.example.com/t").unwrap());
    image.green_screen = true;
    assert_eq!(
        create_body(&image).to_string(),
        r#"{"face_name":"Ana [fc-k3j7x2m7-qa4bd2-1]","model_name":"phoenix-4.5","train_image_url":"https://m.example.com/a.mp4?sig=1&sv=2","voice_name":"anna","auto_fix_training_image":true,"callback_url":"https://hooks.example.com/t","properties":{"background_green_screen":true}}"#
    );
    let by_id = TrainingVoice::Id("v1".parse::<VoiceId>().unwrap());
    let image = create(TrainingInput::Image { source, voice: by_id, auto_fix: false });
    let body = create_body(&image);
    assert_eq!((body.get("default_voice_id"), body.get("voice_name")), (Some(&Value::from("v1")), None));
}

#[test]
fn an_update_sends_what_differs_and_nothing_where_nothing_does() {
    assert_eq!(update_body(&FaceUpdate::default()), None);
    let rename = FaceUpdate { face_name: Some("Ana".into()), default_voice: None };
    assert_eq!(update_body(&rename).unwrap().to_string(), r#"{"face_name":"Ana"}"#);
}

#[test]
fn both_kinds_of_voice_row_are_read_and_what_is_neither_is_counted() {
    let body = br#"{"data":[
        {"voice_id":null,"voice_name":"anna","face_id":"r1","audio_url":null,"tags":[{"tag_name":"warm"},{"x":1},null]},
        {"voice_id":"v1","voice_name":"Ana\u001b[31m","voice_type":"User","status":"completed","tags":["a b",""],"description":" x "},
        {"voice_id":"v2","voice_name":null},
        {"voice_id":"../v","voice_name":"evil"},
        {"voice_name":" "}, 7
    ],"total_count":6,"page":1,"limit":100}"#;
    let VoicePage { voices, unreadable_rows, total_count } = voice_page(body).unwrap();
    assert_eq!((voices.len(), unreadable_rows, total_count), (3, 3, Some(6)));
    let [anna, ana, nameless] = voices.try_into().unwrap();
    assert_eq!((anna.id, anna.kind, anna.status), (None, VoiceKind::Stock, None));
    assert_eq!((anna.tags, anna.linked_face.as_deref()), (vec!["warm".to_owned()], Some("r1")));
    assert_eq!(
        (ana.kind, ana.status.as_deref(), ana.description.as_deref()),
        (VoiceKind::User, Some("completed"), Some("x"))
    );
    assert_eq!((ana.tags, ana.name.as_str()), (vec!["a b".to_owned()], "Ana\u{fffd}[31m"));
    assert_eq!(nameless.name, "v2");
    assert!(voice_page(br#"{"voices":[]}"#).is_err());
}

#[test]
fn a_conversation_always_says_whether_it_is_a_test() {
    let request =
        ConversationRequest { face: "r1".parse().unwrap(), pal: Some("p1".into()), test_mode: true, name: None };
    let body = conversation_body(&request).to_string();
    assert_eq!(body, r#"{"face_id":"r1","pal_id":"p1","test_mode":true}"#);
    let answer = conversation(br#"{"conversation_id":"c1","conversation_url":"javascript:x","status":"ended"}"#);
    assert_eq!(answer.unwrap(), Conversation { id: "c1".into(), url: None, status: "ended".into() });
}

#[test]
fn an_error_says_what_the_api_said_whatever_its_shape() {
    for (body, says) in [
        (r#"{"error":"Invalid face_id"}"#, "Invalid face_id"),
        (r#"{"error":"","message":"Invalid access token"}"#, "Invalid access token"),
        (r#"{"error":null,"message":null}"#, r#"{"error":null,"message":null}"#),
        ("<html>\n<b>502</b>", "<html> <b>502</b>"),
        ("", ""),
    ] {
        assert_eq!(error_message(body.as_bytes()), says, "{body}");
    }
    assert!(is_invalid_id("Invalid replica_uuid") && is_invalid_id("invalid face_id r1"));
    assert!(!is_invalid_id("Invalid access token") && !is_invalid_id("voice_id must not be blank"));
}

/// Any JSON a server could think of, with our field names in it.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "r[0-9a-f]{1,3}|started|completed|20/100".prop_map(Value::from),
    ];
    let name = "data|total_count|voice_(id|name|type)|tags|tag_name|(face|replica)_(id|name|type)|status|finetune_status|training_progress|created_at|error";
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..8).prop_map(|map| map.into_iter().collect::<Value>()),
        ]
    })
}

proptest! {
    #[test]
    fn no_row_is_lost_without_being_counted(rows in prop::collection::vec(any_value(), 0..8)) {
        let body = serde_json::json!({ "data": rows }).to_string();
        let page = face_page(body.as_bytes()).unwrap();
        prop_assert_eq!(page.faces.len() + page.unreadable_rows, rows.len());
    }

    #[test]
    fn no_body_makes_a_reader_panic(value in any_value(), bytes in any::<Vec<u8>>()) {
        for body in [value.to_string().as_bytes(), &bytes] {
            let _ = (face_page(body), face(body, &"r1".parse().unwrap()), created_id(body), voice(body));
            let _ = (conversation(body), error_message(body), voice_page(body));
        }
    }
}
