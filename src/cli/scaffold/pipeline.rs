//! The pipelines that `init` writes: the files of `examples/ci`, with the project's own folder, branch and name in them.

use std::path::{Path, PathBuf};

use crate::face::ProjectName;

/// The workflows of GitHub, by the last word of their names.
const WORKFLOWS: [(&str, &str); 5] = [
    ("plan", include_str!("../../../examples/ci/github/.github/workflows/faces-plan.yml")),
    ("comment", include_str!("../../../examples/ci/github/.github/workflows/faces-comment.yml")),
    ("apply", include_str!("../../../examples/ci/github/.github/workflows/faces-apply.yml")),
    ("wait", include_str!("../../../examples/ci/github/.github/workflows/faces-wait.yml")),
    ("drift", include_str!("../../../examples/ci/github/.github/workflows/faces-drift.yml")),
];

/// What all workflows use, whichever project they are for.
const GITHUB_SHARED: [(&str, &str); 5] = [
    (
        ".github/actions/facectl/action.yml",
        include_str!("../../../examples/ci/github/.github/actions/facectl/action.yml"),
    ),
    (
        ".github/actions/facectl/install.sh",
        include_str!("../../../examples/ci/github/.github/actions/facectl/install.sh"),
    ),
    (".github/actions/facectl/run.sh", include_str!("../../../examples/ci/github/.github/actions/facectl/run.sh")),
    (
        ".github/facectl/keep-lock-file.sh",
        include_str!("../../../examples/ci/github/.github/facectl/keep-lock-file.sh"),
    ),
    (".github/facectl/plan-proposed.sh", include_str!("../../../examples/ci/github/.github/facectl/plan-proposed.sh")),
];

const GITLAB: &str = include_str!("../../../examples/ci/gitlab/.gitlab-ci.yml");

const GITLAB_SHARED: [(&str, &str); 3] = [
    (".gitlab/facectl/install.sh", include_str!("../../../examples/ci/gitlab/.gitlab/facectl/install.sh")),
    (
        ".gitlab/facectl/keep-lock-file.sh",
        include_str!("../../../examples/ci/gitlab/.gitlab/facectl/keep-lock-file.sh"),
    ),
    (
        ".gitlab/facectl/push-lock-file.sh",
        include_str!("../../../examples/ci/gitlab/.gitlab/facectl/push-lock-file.sh"),
    ),
];

/// Whose pipeline it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pipeline<'a> {
    pub(super) name: &'a ProjectName,
    /// The project's folder seen from the repository, empty where they are the same.
    pub(super) below: &'a str,
    /// The branch that is applied.
    pub(super) branch: &'a str,
}

impl Pipeline<'_> {
    /// Returns the files for GitHub, by their places in the repository.
    pub(super) fn github(self) -> Vec<(PathBuf, String)> {
        let workflows = WORKFLOWS.map(|(word, text)| {
            let mut text = text.to_owned();
            for (word, _) in WORKFLOWS {
                let workflow = format!("faces-{word}");
                text = text.replace(&workflow, &self.title(&workflow, "-"));
            }
            let text = self.at_folder(&text, |folder| folder.to_owned());
            (
                format!(".github/workflows/{}.yml", self.title(&format!("faces-{word}"), "-")).into(),
                self.on_branch(&text),
            )
        });
        workflows.into_iter().chain(shared(&GITHUB_SHARED)).collect()
    }

    /// Returns the files for GitLab, the pipeline first.
    pub(super) fn gitlab(self) -> Vec<(PathBuf, String)> {
        // GitLab reads `$$` as a dollar sign.
        let mut text = self.at_folder(GITLAB, |folder| folder.replace('$', "$$"));
        for job in ["check", "comment", "plan", "apply", "wait", "drift"] {
            let job = format!("faces {job}");
            text = text.replace(&job, &self.title(&job, " "));
        }
        for (before, after) in [("\n.facectl:", ":"), ("extends: .facectl", ""), ("resource_group: faces", "")] {
            let word = before.trim_end_matches(':');
            text = text.replace(before, &format!("{}{after}", self.title(word, "-")));
        }
        let file = format!(".gitlab/{}.yml", self.title("facectl", "-"));
        std::iter::once((file.into(), text)).chain(shared(&GITLAB_SHARED)).collect()
    }

    /// Where a repository holds several projects, each has a pipeline of its own.
    fn title(self, word: &str, between: &str) -> String {
        match self.below {
            "" => word.to_owned(),
            _ => format!("{word}{between}{}", self.name),
        }
    }

    /// A folder may be called anything.
    fn at_folder(self, text: &str, escaped: impl Fn(&str) -> String) -> String {
        match self.below {
            "" => text.to_owned(),
            folder => {
                let escaped = escaped(folder);
                let quoted = crate::yaml::scalar(&escaped);
                text.replace("\n  FACES: . #", &format!("\n  FACES: {quoted} #"))
                    .replace("\n    FACES: . #", &format!("\n    FACES: {quoted} #"))
            }
        }
    }

    fn on_branch(self, text: &str) -> String {
        let branch = self.branch;
        [
            ("branches: [main]", format!("branches: [{branch}]")),
            ("ref: main\n", format!("ref: {branch}\n")),
            ("refs/heads/main'", format!("refs/heads/{branch}'")),
            ("origin main\n", format!("origin {branch}\n")),
            ("the branch `main`", format!("the branch `{branch}`")),
        ]
        .into_iter()
        .fold(text.to_owned(), |text, (before, after)| text.replace(before, &after))
    }
}

fn shared(files: &'static [(&'static str, &'static str)]) -> impl Iterator<Item = (PathBuf, String)> {
    files.iter().map(|(path, text)| (Path::new(path).to_owned(), (*text).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(files: Vec<(PathBuf, String)>) -> String {
        files.into_iter().map(|(path, text)| format!("{}\n{text}\n", path.display())).collect()
    }

    #[test]
    fn a_project_that_is_all_of_its_repository_gets_the_examples_as_they_are() {
        let name = "acme".parse().unwrap();
        let pipeline = Pipeline { name: &name, below: "", branch: "main" };
        let workflow = |word: &str| {
            pipeline.github().into_iter().find(|(path, _)| path.ends_with(format!("faces-{word}.yml"))).unwrap().1
        };
        for (word, text) in WORKFLOWS {
            assert_eq!(workflow(word), text);
        }
        assert_eq!(pipeline.gitlab()[0], (".gitlab/facectl.yml".into(), GITLAB.to_owned()));
    }

    #[test]
    fn a_project_in_a_folder_shares_no_name_with_another_one_and_no_branch_is_left_behind() {
        let name = "acme".parse().unwrap();
        let pipeline = Pipeline { name: &name, below: "a $x", branch: "trunk" };
        let github = texts(pipeline.github());
        for word in WORKFLOWS.map(|(word, _)| word) {
            assert!(github.contains(&format!("name: faces-{word}-acme\n")), "{word}");
            assert_eq!(
                github.matches(&format!("faces-{word}")).count(),
                github.matches(&format!("faces-{word}-acme")).count(),
                "{word}"
            );
        }
        assert_eq!(github.matches("FACES: a $x #").count(), WORKFLOWS.len());
        let rest = github.replace("--main", "");
        let left = rest.lines().find(|line| line.split(|c: char| !c.is_alphanumeric()).any(|word| word == "main"));
        assert_eq!(left, None);
        let gitlab = texts(pipeline.gitlab());
        assert!(gitlab.contains("FACES: a $$x #") && gitlab.contains("\n.facectl-acme:\n"));
        assert!(gitlab.contains("\nfaces apply acme:\n") && gitlab.contains("resource_group: faces-acme\n"));
        assert!(!gitlab.contains("extends: .facectl\n") && gitlab.contains("needs: [\"faces plan acme\"]"));
    }
}
