//! Names of branches.

use super::GitTrouble;

/// Takes a name that git takes for a branch, and that neither reads as an option nor as a pattern (rules of
/// git-check-ref-format(1), git 2.47).
pub(super) fn check(branch: &str) -> Result<(), GitTrouble> {
    let refused = |why| Err(GitTrouble::BadBranch { branch: branch.escape_debug().collect(), why });
    if branch.is_empty() {
        return refused("it is empty");
    }
    if branch.starts_with('-') {
        return refused("it begins with `-`, which git would take for an option");
    }
    if branch.starts_with("refs/") {
        return refused("it is written without `refs/heads/`");
    }
    if branch.chars().any(|c| c.is_control() || " ~^:?*[\\".contains(c)) {
        return refused(
            "it holds a character that no branch may have: a blank, a control character or one of ~^:?*[\\",
        );
    }
    let is_odd = |part: &str| part.is_empty() || part.starts_with('.') || part.ends_with(".lock");
    if branch.split('/').any(is_odd) || branch.contains("..") || branch.contains("@{") || branch.ends_with('.') {
        return refused("git knows no such names");
    }
    if branch == "@" {
        return refused("git reads it as HEAD");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_is_a_name_and_neither_an_option_nor_a_pattern() {
        for good in ["main", "release/2026.11", "ana's-faces", "gesichter-ü", "😀", "a@b"] {
            assert!(check(good).is_ok(), "{good}");
        }
        let bad = ["", "-x", "--upload-pack=touch x", "refs/heads/main", "a b", "*", "a..b", "a//b", "/a", "a/", ".a"];
        for bad in bad.into_iter().chain(["a.lock", "a.", "a@{1}", "@", "a\nb", "a:b", "main^", "[a]", "a\\b"]) {
            assert!(check(bad).is_err(), "{bad:?}");
        }
    }
}
