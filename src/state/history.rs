//! The history as a chain: each record carries a hash over the record before it and itself.
//!
//! # Guarantees
//! The newest hash also stands in [`super::Meta`], so that a record that was changed, taken out, slipped in, or
//! cut off at either end shows. Verifying needs no secret and no network.
//!
//! # Caveats
//! It shows damage and careless edits. Whoever may write the state could also write a whole new chain: against
//! that helps a head noted elsewhere, such as a `state pull` kept by a pipeline.
//!
//! # Assumptions
//! Records are hashed as JSON with sorted keys and without blanks, as they were stored and not as this version
//! would write them: fields of other versions are covered too, and a file that was formatted anew still verifies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Happened, HistoryEntry, StateError};

/// Who is at work, on what, for all entries of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunContext {
    /// Who, on which commit, in which pipeline.
    pub provenance: Provenance,
    /// What it was called with.
    pub command: Option<String>,
    /// The digest of the plan that is carried out, where one was saved or approved.
    pub plan_digest: Option<String>,
}

/// Where a run comes from: who started it, on which commit, in which pipeline. Holds no secret, and nothing that
/// could break a line: much of it is what somebody else wrote into a variable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Provenance {
    /// One id for all that the run writes: history, events and results.
    pub run: Option<String>,
    /// Who: the git author, the actor of a pipeline, or user and host.
    pub by: Option<String>,
    /// The commit that the project's folder was at.
    pub commit: Option<String>,
    /// The branch it was on, or that the pipeline ran for.
    pub branch: Option<String>,
    /// Whether something there differed from that commit; none where it cannot be told.
    pub dirty: Option<bool>,
    /// The page of the pipeline's run.
    pub run_url: Option<String>,
}

/// Where a chain ends: what a state remembers of its history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChainHead {
    /// Records since the chain began.
    pub length: u64,
    /// The hash of the newest.
    pub hash: String,
}

/// An entry as it is stored, and stands in what `state history` and `state pull` write.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HistoryRecord<'a> {
    /// The serial of the commit that it belongs to.
    serial: u64,
    #[serde(flatten)]
    entry: &'a HistoryEntry,
    /// The hash of the record before it; null in the first.
    previous: Option<&'a str>,
    /// A hash over all of it, but for this; none in a record from before there was a chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    hash: Option<&'a str>,
}

/// Appends an entry: returns the record to be stored, and where the chain ends after it.
pub(super) fn link(
    head: Option<&ChainHead>,
    serial: u64,
    entry: &HistoryEntry,
) -> Result<(Value, ChainHead), StateError> {
    let previous = head.map(|head| head.hash.as_str());
    let mut record = serde_json::to_value(HistoryRecord { serial, entry, previous, hash: None })
        .map_err(|source| StateError::Record { record: "history".to_owned(), source })?;
    let hash = hash_of(&record);
    record["hash"] = hash.clone().into();
    Ok((record, ChainHead { length: head.map_or(0, |head| head.length) + 1, hash }))
}

/// Returns the hash that a record should carry. It covers all of it, the hash of the one before included.
fn hash_of(record: &Value) -> String {
    let mut covered = record.clone();
    if let Value::Object(fields) = &mut covered {
        fields.remove("hash");
    }
    covered.sort_all_objects();
    let mut hasher = blake3::Hasher::new_derive_key("facectl 2026-11 history chain");
    hasher.update(covered.to_string().as_bytes());
    hasher.finalize().to_hex().to_string()
}

/// Returns the hash a record carries; none in one from before there was a chain.
pub(super) fn carried_hash(record: &Value) -> Option<&str> {
    record["hash"].as_str()
}

/// Returns the serial of the commit that a record belongs to.
pub(super) fn serial_of(record: &Value) -> u64 {
    record["serial"].as_u64().unwrap_or(0)
}

/// Reads a record as the entry that it holds.
///
/// # Errors
/// When it is none: a field that must be there is not, or is something else.
pub fn read_entry(record: &Value) -> Result<HistoryEntry, StateError> {
    HistoryEntry::deserialize(record).map_err(|source| StateError::Record { record: "history".to_owned(), source })
}

/// What verifying a history showed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Verdict {
    /// Records in the chain.
    pub linked: u64,
    /// Records from before there was a chain: nothing proves or disproves them.
    pub unlinked: u64,
    /// Where the chain says itself that records were lost.
    pub gaps: Vec<Spot>,
    /// Where it breaks.
    pub breaks: Vec<Spot>,
}

impl Verdict {
    /// Returns whether nothing was changed, taken out or slipped in.
    pub fn is_whole(&self) -> bool {
        self.breaks.is_empty()
    }
}

/// A place in a history, and what is to be said about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Spot {
    /// Which record, from 1; one past the last for what is missing at the end.
    pub record: u64,
    /// The serial it was written at.
    pub serial: Option<u64>,
    /// When.
    pub at: Option<String>,
    /// Which face.
    pub key: Option<String>,
    /// What is the matter.
    pub what: String,
}

/// Follows a chain from its beginning to the head that the state remembers.
pub fn verify(records: &[Value], head: Option<&ChainHead>) -> Verdict {
    let mut verdict = Verdict::default();
    let mut last: Option<&str> = None;
    for (number, record) in (1..).zip(records) {
        let spot = |what: &str| spot(number, record, what);
        let Some(hash) = carried_hash(record) else {
            match verdict.linked {
                0 => verdict.unlinked += 1,
                _ => verdict.breaks.push(spot("it carries no hash, although those before it do")),
            }
            continue;
        };
        verdict.linked += 1;
        if hash != hash_of(record) {
            verdict.breaks.push(spot("it is not what was written: its hash does not match"));
        }
        if record["previous"].as_str() != last {
            // Only a rebuild goes on from a head whose records it does not have, and says so.
            match read_entry(record).is_ok_and(|entry| entry.what == Happened::Rebuilt) {
                true => verdict.gaps.push(spot(record["detail"].as_str().unwrap_or_default())),
                false => verdict.breaks.push(spot(
                    "it does not follow on the record before it: something was taken out or slipped in between",
                )),
            }
        }
        last = Some(hash);
    }
    if last != head.map(|head| head.hash.as_str()) {
        let what = match (last, head) {
            (_, None) => "the state remembers no end of the history, although there are records",
            (None, Some(_)) => "all records that the state remembers are missing",
            (Some(_), Some(_)) => "the newest records are missing: the state remembers another end",
        };
        let record = records.len() as u64 + 1;
        verdict.breaks.push(Spot { record, serial: None, at: None, key: None, what: what.to_owned() });
    }
    verdict
}

fn spot(number: u64, record: &Value, what: &str) -> Spot {
    let text = |name: &str| record[name].as_str().map(str::to_owned);
    Spot { record: number, serial: record["serial"].as_u64(), at: text("at"), key: text("key"), what: what.to_owned() }
}

/// Returns how many records there are up to the one that a head names; none where it is not among them.
pub fn reaches(records: &[Value], head: &ChainHead) -> Option<usize> {
    records.iter().rposition(|record| carried_hash(record) == Some(&head.hash)).map(|last| last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &str) -> HistoryEntry {
        let text = format!(
            r#"{{"at":"2026-11-22T12:00:00Z","key":"{key}","what":"forgotten","id":"r1","token":null,"detail":"by \"hand\""}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn chain(keys: &[&str]) -> (Vec<Value>, Option<ChainHead>) {
        let (mut records, mut head) = (Vec::new(), None);
        for (serial, key) in (1..).zip(keys) {
            let (record, next) = link(head.as_ref(), serial, &entry(key)).unwrap();
            records.push(record);
            head = Some(next);
        }
        (records, head)
    }

    fn broken_at(records: &[Value], head: Option<&ChainHead>) -> Vec<u64> {
        verify(records, head).breaks.iter().map(|spot| spot.record).collect()
    }

    #[test]
    fn a_chain_that_nobody_touched_is_whole_also_when_it_was_formatted_anew() {
        let (records, head) = chain(&["ana", "bea", "cid"]);
        assert_eq!(head.as_ref().unwrap().length, 3);
        assert_eq!(broken_at(&records, head.as_ref()), [0_u64; 0]);
        let mut sorted: Vec<Value> = records
            .iter()
            .map(|record| serde_yaml::from_str(&serde_yaml::to_string(record).unwrap()).unwrap())
            .collect();
        sorted.iter_mut().for_each(Value::sort_all_objects);
        assert_eq!(broken_at(&sorted, head.as_ref()), [0_u64; 0]);
        assert!(verify(&[], None).is_whole());
    }

    #[test]
    fn whatever_is_changed_taken_out_slipped_in_or_cut_off_shows_where() {
        let (records, head) = chain(&["ana", "bea", "cid", "dan"]);
        let after = |edit: fn(&mut Vec<Value>)| {
            let mut records = records.clone();
            edit(&mut records);
            broken_at(&records, head.as_ref())
        };
        assert_eq!(after(|records| records[1]["id"] = "r2".into()), [2], "changed");
        assert_eq!(after(|records| records[1]["more"] = "x".into()), [2], "added to");
        assert_eq!(after(|records| drop(records.remove(0))), [1], "cut off at the beginning");
        assert_eq!(after(|records| drop(records.remove(2))), [3], "taken out");
        assert_eq!(after(|records| drop(records.pop())), [4], "cut off at the end");
        assert_eq!(after(|records| records.swap(1, 2)), [2, 3, 4], "put in another order");
        assert_eq!(after(Vec::clear), [1], "all gone");
        let strange = |records: &mut Vec<Value>| {
            let (record, _) = link(None, 9, &entry("eve")).unwrap();
            records.insert(2, record);
        };
        assert_eq!(after(strange), [3, 4], "slipped in");
        let bare = |records: &mut Vec<Value>| records.push(serde_json::to_value(entry("eve")).unwrap());
        assert_eq!(after(bare), [5], "added without a hash");
        assert_eq!(broken_at(&records, None), [5], "the head was lost");
    }

    #[test]
    fn a_record_whose_hash_was_mended_still_breaks_the_one_after_it() {
        let (mut records, head) = chain(&["ana", "bea", "cid"]);
        records[1]["id"] = "r2".into();
        records[1]["hash"] = hash_of(&records[1]).into();
        assert_eq!(broken_at(&records, head.as_ref()), [3]);
    }

    #[test]
    fn a_rebuild_that_says_what_it_lost_is_a_gap_and_not_a_break() {
        let (records, head) = chain(&["ana", "bea", "cid"]);
        let rebuilt = HistoryEntry { key: None, what: Happened::Rebuilt, detail: "2 lost".into(), ..entry("x") };
        let (marker, after) = link(head.as_ref(), 3, &rebuilt).unwrap();
        let verdict = verify(&[records[0].clone(), marker], Some(&after));
        assert_eq!(verdict.breaks, []);
        assert_eq!(verdict.gaps.iter().map(|gap| gap.what.as_str()).collect::<Vec<_>>(), ["2 lost"]);
    }

    #[test]
    fn entries_of_early_versions_are_read_and_counted_apart() {
        let old = r#"{"at":"2026-11-01T08:00:00Z","key":"ana","what":"create_settled","id":"r90bbd427f71",
            "token":"fc-k3j2x2m7-qa4bd2-1","detail":"answered"}"#;
        let old: Value = serde_json::from_str(old).unwrap();
        let read = read_entry(&old).unwrap();
        assert_eq!((read.key.unwrap().as_str(), read.what), ("ana", Happened::CreateSettled));
        assert_eq!((read.by, read.commit, read.dirty, read.took_ms), (None, None, None, None));
        let (new, head) = link(None, 2, &entry("ana")).unwrap();
        let verdict = verify(&[old, new], Some(&head));
        assert_eq!((verdict.linked, verdict.unlinked, verdict.is_whole()), (1, 1, true));
    }

    #[test]
    fn a_history_from_before_branches_and_pipelines_were_said_verifies_and_goes_on() {
        let old: Vec<Value> = include_str!("history/before-branches.jsonl")
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let head = ChainHead { length: 2, hash: carried_hash(&old[1]).unwrap().to_owned() };
        assert!(verify(&old, Some(&head)).is_whole());
        let provenance = Provenance {
            branch: Some("main".to_owned()),
            run_url: Some("https://github.com/acme/faces/actions/runs/42".to_owned()),
            ..Provenance::default()
        };
        let context = RunContext { provenance, ..RunContext::default() };
        let entry = HistoryEntry::new(jiff::Timestamp::UNIX_EPOCH, None, Happened::Pushed, "", &context);
        let (record, head) = link(Some(&head), 9, &entry).unwrap();
        assert_eq!(record["branch"], "main");
        assert_eq!(read_entry(&record).unwrap(), entry);
        assert!(verify(&[&old[..], &[record]].concat(), Some(&head)).is_whole());
    }

    #[test]
    fn a_record_of_this_version_verifies_for_ever() {
        let (records, _) = chain(&["ana"]);
        assert_eq!(
            records[0].to_string(),
            r#"{"serial":1,"at":"2026-11-22T12:00:00Z","key":"ana","what":"forgotten","id":"r1","token":null,"detail":"by \"hand\"","previous":null,"hash":"55a97b7edd907d015118ff63b31f39da44813ec54efe97792bd71046605f845c"}"#
        );
    }
}
