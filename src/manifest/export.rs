//! A manifest for a face that lives already: the other way round.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::face::{
    FACE_ID_ANNOTATION, FaceId, FaceKey, FaceName, Model, ObservedFace, OnRemoval, RecordedFace, SourceKind,
    TrainedFrom,
};

use crate::text::visible;
use crate::yaml;

use super::API_VERSION;

#[derive(Serialize)]
struct Manifest<'a> {
    #[serde(rename = "apiVersion")]
    api_version: &'a str,
    kind: &'a str,
    metadata: Metadata<'a>,
    spec: Spec<'a>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    name: &'a str,
    annotations: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
struct Spec<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    face_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_voice_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lifecycle: Option<Lifecycle>,
}

#[derive(Serialize)]
struct Lifecycle {
    #[serde(skip_serializing_if = "Option::is_none")]
    on_removal: Option<OnRemoval>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    protect: bool,
}

/// Returns a manifest that names a live face by its id and says of it what the API says. What the API does not tell
/// stands there as a comment, with what the record knows of it. `schema` is where an editor finds the schema.
///
/// It never fails, and what it returns always loads: a name that no manifest can hold is brought as near as
/// possible, with a comment.
pub fn manifest_of(key: &FaceKey, live: &ObservedFace, recorded: Option<&RecordedFace>, schema: &str) -> String {
    let (face_name, name_note) = declarable(live.shown_name());
    let model = live.model.as_deref();
    let is_known = model.is_some_and(|model| model.parse::<Model>().is_ok());
    let kept = recorded.filter(|face| face.on_removal != OnRemoval::default() || face.protect);
    let manifest = Manifest {
        api_version: API_VERSION,
        kind: "Face",
        metadata: Metadata {
            name: key.as_str(),
            annotations: BTreeMap::from([(FACE_ID_ANNOTATION, live.id.as_str())]),
        },
        spec: Spec {
            face_name,
            model_name: model.filter(|_| is_known),
            default_voice_id: live.default_voice.as_ref().map(|voice| voice.as_str()),
            lifecycle: kept.map(|face| Lifecycle {
                on_removal: Some(face.on_removal).filter(|on_removal| *on_removal != OnRemoval::default()),
                protect: face.protect,
            }),
        },
    };
    // Structs of texts and flags can always be written.
    let yaml = yaml::to_string(&manifest).unwrap_or_default();
    let mut text = format!("# yaml-language-server: $schema={schema}\n{yaml}");
    let mut comment = |line: &str| {
        text.push_str("  # ");
        text.push_str(line);
        text.push('\n');
    };
    if let Some(note) = name_note {
        comment(&note);
    }
    if let Some(model) = model.filter(|_| !is_known) {
        comment(&format!("Its model is {}, which no manifest can ask for.", visible(model)));
    }
    match recorded.and_then(|face| face.trained_from.as_ref()) {
        Some(from) => known_inputs(from, &mut comment),
        None => unknown_inputs(&mut comment),
    }
    comment("callback_url: https://…   (is told once, when a training ends)");
    text
}

fn known_inputs(from: &TrainedFrom, comment: &mut impl FnMut(&str)) {
    // In full, so that a new field cannot be forgotten here.
    let TrainedFrom {
        model: _,
        kind,
        source,
        source_hash: _,
        revision: _,
        voice,
        auto_fix,
        green_screen,
        training_version,
    } = from;
    comment(match source.starts_with("https://") {
        true => "What it was trained from is recorded, without the signature of its link. Put the whole link here:",
        false => "What it was trained from is recorded:",
    });
    let field = match kind {
        SourceKind::Video => "train_video_url",
        SourceKind::Image => "train_image_url",
    };
    comment(&format!("{field}: {}", yaml::scalar(source)));
    if let Some(voice) = voice {
        comment(&format!("voice_name: {}", yaml::scalar(voice.as_str())));
    }
    if *auto_fix {
        comment("auto_fix_training_image: true");
    }
    if *green_screen {
        comment("properties: { background_green_screen: true }");
    }
    if let Some(version) = training_version {
        comment(&format!("training_version: {}", yaml::scalar(version)));
    }
}

fn unknown_inputs(comment: &mut impl FnMut(&str)) {
    for line in [
        "The API does not tell what a face was trained from. Nothing has to be added here; what is added counts",
        "from `facectl import KEY FACE_ID --assume-current` on. A recording:",
        "train_video_url: https://…",
        "or a photo, with its voice if it was named by its slug:",
        "train_image_url: https://…",
        "voice_name: anna",
        "auto_fix_training_image: false",
        "and for either:",
        "properties: { background_green_screen: false }",
    ] {
        comment(line);
    }
}

/// Returns a live name as a manifest can say it, and what the reader has to know about it.
fn declarable(name: &str) -> (Option<String>, Option<String>) {
    let trimmed = name.trim();
    if trimmed.is_empty() {
        return (None, Some("It has no name. Without face_name the next apply leaves that as it is.".to_owned()));
    }
    let escape = |name: &FaceName| Some(name.as_str().replace("${", "$${"));
    if let Ok(whole) = trimmed.parse::<FaceName>() {
        let note = (trimmed != name).then(|| {
            "Its live name has blanks at its ends, which no manifest can say: they are left alone.".to_owned()
        });
        return (escape(&whole), note);
    }
    let is_harmless = |c: &char| c.to_string().trim().is_empty() || c.to_string().parse::<FaceName>().is_ok();
    let cut: String = trimmed.chars().filter(is_harmless).take(100).collect();
    let note = "Its live name cannot be said in a manifest (too long, or with control characters): the next apply \
                changes it to this one."
        .to_owned();
    (cut.trim().parse().ok().as_ref().and_then(escape), Some(note))
}

/// Returns keys for live faces, each made from the face's name: unique, none of them in `taken`, and the same
/// whatever the order of the faces. Of several faces that would get one key, each gets its id behind it.
pub fn keys_for<'a>(
    faces: impl Iterator<Item = (&'a FaceId, &'a str)>,
    is_taken: impl Fn(&FaceKey) -> bool,
) -> BTreeMap<FaceId, FaceKey> {
    let mut by_slug: BTreeMap<String, Vec<&FaceId>> = BTreeMap::new();
    for (id, name) in faces {
        by_slug.entry(slug(name)).or_default().push(id);
    }
    let mut keys: BTreeMap<FaceId, FaceKey> = BTreeMap::new();
    let mut used: BTreeSet<FaceKey> = BTreeSet::new();
    for (slug, ids) in &by_slug {
        for id in ids {
            let alone = Some(slug.clone()).filter(|_| ids.len() == 1);
            let candidates = alone.into_iter().chain((1..).map(|number| with_id(slug, id, number)));
            let is_free = |key: &FaceKey| !is_taken(key) && !used.contains(key);
            // It ends: of ever new numbers one is free.
            if let Some(key) = candidates.filter_map(|text| text.parse().ok()).find(is_free) {
                used.insert(key.clone());
                keys.insert((*id).clone(), key);
            }
        }
    }
    keys
}

/// Returns a key with the face's id at its end, and a number from the second one on.
fn with_id(slug: &str, id: &FaceId, number: u32) -> String {
    let mut tail = self::slug(id.as_str());
    if number > 1 {
        tail = format!("{}-{number}", tail.chars().take(KEY_LIMIT - 12).collect::<String>());
    }
    let head: String = slug.chars().take(KEY_LIMIT.saturating_sub(tail.len() + 1)).collect();
    match head.trim_end_matches('-') {
        "" if slug.is_empty() => format!("face-{tail}").chars().take(KEY_LIMIT).collect(),
        "" => tail,
        head => format!("{head}-{tail}"),
    }
}

/// The longest key: a DNS label.
const KEY_LIMIT: usize = 63;

/// Returns a name in the letters of a DNS label, simply transliterated; empty where nothing is left of it.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' => slug.push(c),
            // Inside a word nobody would write a dash: "D'Angelo", "l’été".
            '\'' | '’' => {}
            // Accents that stand behind their letter.
            '\u{300}'..='\u{36f}' => {}
            _ => match latin(c) {
                "" if slug.is_empty() || slug.ends_with('-') => {}
                "" => slug.push('-'),
                letters => slug.push_str(letters),
            },
        }
        if slug.len() >= KEY_LIMIT {
            break;
        }
    }
    slug.truncate(KEY_LIMIT);
    slug.trim_end_matches('-').to_owned()
}

/// The Latin letters of European names in plain ones.
fn latin(c: char) -> &'static str {
    match c {
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'ä' | 'æ' => "ae",
        'ç' | 'ć' | 'č' | 'ĉ' | 'ċ' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì' | 'í' | 'î' | 'ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ō' | 'ŏ' | 'ő' => "o",
        'ö' | 'ø' | 'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'þ' => "th",
        'ù' | 'ú' | 'û' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'ü' => "ue",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(faces: &[(&str, &str)], taken: &[&str]) -> Vec<String> {
        let ids: Vec<(FaceId, &str)> = faces.iter().map(|(id, name)| (id.parse().unwrap(), *name)).collect();
        let keys = keys_for(ids.iter().map(|(id, name)| (id, *name)), |key| taken.contains(&key.as_str()));
        assert_eq!(keys.len(), faces.len(), "each face gets one");
        ids.iter().map(|(id, _)| keys[id].to_string()).collect()
    }

    #[test]
    fn a_key_is_made_of_the_letters_of_the_name() {
        for (name, key) in [
            ("Ana (Support)", "ana-support"),
            ("  Ana  ", "ana"),
            ("Zoë Müller-Łukasz & Søn", "zoe-mueller-lukasz-soen"),
            ("D'Angelo's l’été", "dangelos-lete"),
            ("Re\u{301}mi", "remi"),
            ("İpek", "ipek"),
            ("Ana 😀 2", "ana-2"),
            ("日本", "face-r1"),
            ("", "face-r1"),
            ("---", "face-r1"),
        ] {
            assert_eq!(keys(&[("r1", name)], &[]), [key], "{name:?}");
        }
        let long = keys(&[("r1", &"Ana ".repeat(40))], &[]);
        assert!(long[0].len() <= 63 && !long[0].ends_with('-'), "{long:?}");
    }

    #[test]
    fn keys_are_unique_and_do_not_hang_on_the_order() {
        let faces = [("r1", "Ana"), ("r2", "ana"), ("r3", "Bea"), ("r4", "Ana r1"), ("R_5", "Bea!")];
        assert_eq!(keys(&faces, &[]), ["ana-r1", "ana-r2", "bea-r3", "ana-r1-r4", "bea-r-5"]);
        let mut backwards = faces;
        backwards.reverse();
        let mut found = keys(&backwards, &[]);
        found.reverse();
        assert_eq!(found, keys(&faces, &[]));
        assert_eq!(keys(&[("r1", "Ana")], &["ana"]), ["ana-r1"]);
        assert_eq!(keys(&[("r1", "Ana")], &["ana", "ana-r1"]), ["ana-r1-2"]);
    }
}
