//! Which commit changed a face last.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::apply::Interrupt;
use crate::face::FaceKey;
use crate::plan::{ChangedBy, Commit};

use super::super::error::CliError;
use super::past::{Past, Resolved};
use super::repository::{Known, Repository};

/// The most commits that are looked at one by one, and the most files in all of them: listing ten thousand takes some
/// milliseconds.
const COMMITS: usize = 200;
const FILES: usize = 1_000_000;
/// The fewest commits that are looked at, however large the project is.
const FEWEST: usize = 10;
/// Broken commits in a row that are passed over.
const BROKEN: usize = 50;
/// Files whose last commit is asked for, where the history is too long.
const FALLBACKS: usize = 100;

/// The commits after a base, as far as they have been looked at.
pub(super) struct History<'a, 'b> {
    repository: &'a Repository,
    past: &'a mut Past<'b>,
    interrupt: &'a Interrupt,
    base: &'a str,
    known: BTreeMap<String, Known>,
    resolved: BTreeMap<String, Rc<Resolved>>,
}

impl<'a, 'b> History<'a, 'b> {
    pub(super) fn new(
        repository: &'a Repository,
        past: &'a mut Past<'b>,
        interrupt: &'a Interrupt,
        base: &'a str,
        then: Rc<Resolved>,
    ) -> Self {
        let resolved = BTreeMap::from([(base.to_owned(), then)]);
        Self { repository, past, interrupt, base, known: BTreeMap::new(), resolved }
    }

    /// Returns what the manifests of a commit resolve to; where they are broken, what those before it did.
    pub(super) fn at(&mut self, commit: &str) -> Result<Rc<Resolved>, CliError> {
        let mut passed = Vec::new();
        let mut next = Some(commit.to_owned());
        let found = loop {
            // Before the first commit there is nothing; behind too many broken ones the base has to do.
            let Some(commit) = next else { break Rc::default() };
            let commit = if passed.len() < BROKEN { commit } else { self.base.to_owned() };
            if let Some(resolved) = self.resolved.get(&commit) {
                break Rc::clone(resolved);
            }
            if self.interrupt.is_noted() {
                return Err(CliError::interrupted());
            }
            let resolved = self.past.resolved(&commit)?;
            next = match &resolved {
                Ok(_) => None,
                Err(_) => self.parents(&commit)?.into_iter().next(),
            };
            passed.push(commit);
            if let Ok(resolved) = resolved {
                break resolved;
            }
        };
        self.resolved.extend(passed.into_iter().map(|commit| (commit, Rc::clone(&found))));
        Ok(found)
    }

    fn parents(&mut self, commit: &str) -> Result<Vec<String>, CliError> {
        self.look_up(&[commit.to_owned()])?;
        Ok(self.known.get(commit).map(|known| known.parents.clone()).unwrap_or_default())
    }

    fn look_up(&mut self, commits: &[String]) -> Result<(), CliError> {
        let new: Vec<String> = commits.iter().filter(|id| !self.known.contains_key(*id)).cloned().collect();
        if !new.is_empty() {
            let known = self.repository.known(&new)?;
            self.known.extend(new.into_iter().zip(known));
        }
        Ok(())
    }

    /// Returns for each of the faces which commit up to `head` changed it last.
    pub(super) fn changes(
        &mut self,
        head: &str,
        mut wanted: Vec<FaceKey>,
    ) -> Result<BTreeMap<FaceKey, ChangedBy>, CliError> {
        let mut found = BTreeMap::new();
        if wanted.is_empty() {
            return Ok(found);
        }
        let most = (FILES / self.past.files().max(1)).clamp(FEWEST, COMMITS);
        let commits = self.repository.commits(self.base, head, self.past.mirror.below(), most)?;
        self.look_up(&commits)?;
        let last = self.at(head)?;
        for commit in &commits {
            if wanted.is_empty() {
                break;
            }
            let here = self.at(commit)?;
            let parents = self.parents(commit)?;
            let before: Vec<Rc<Resolved>> =
                parents.iter().map(|parent| self.at(parent)).collect::<Result<_, CliError>>()?;
            // Of a merge only what neither side had; and only what is still so: on another branch it may have been
            // changed in a way that did not last.
            let is_its_own = |key: &FaceKey| {
                here.digest(key) == last.digest(key) && before.iter().all(|old| old.digest(key) != here.digest(key))
            };
            let (its_own, others) = wanted.into_iter().partition(|key| is_its_own(key));
            wanted = others;
            if let Some(known) = self.known.get(commit) {
                let by = |key: FaceKey| (key, ChangedBy::Commit(known.shown.clone()));
                found.extend(Vec::into_iter(its_own).map(by));
            }
        }
        let then = self.at(self.base)?;
        for (number, key) in wanted.into_iter().enumerate() {
            let file = last.faces.get(&key).or(then.faces.get(&key)).filter(|_| number < FALLBACKS);
            let commit = file.map(|face| self.last_of(head, &face.file)).transpose()?.flatten();
            found.insert(key, ChangedBy::File(commit));
        }
        Ok(found)
    }

    /// Returns the last commit that touched a file, which is named as it is shown.
    fn last_of(&mut self, head: &str, file: &str) -> Result<Option<Commit>, CliError> {
        let commits = self.repository.commits(self.base, head, &[self.past.file(file)], 1)?;
        self.look_up(&commits)?;
        Ok(commits.first().and_then(|id| self.known.get(id)).map(|known| known.shown.clone()))
    }
}
