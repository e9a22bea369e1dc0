//! From where the material lies to the link that is sent: at the moment it is sent, and never before.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;

use crate::face::{Check, FaceKey, Finding, Link, Revision};
use crate::media::Desk;
use crate::plan::Create;

/// What makes the link for a create, and looks at the material once more.
///
/// A seam: what it does is `media/`'s, and tests have one of their own.
pub trait Binder: Send + Sync {
    /// Returns the link to send. What is in `skip` is not asked of what it brings.
    ///
    /// # Errors
    /// When there is none, or the training could only fail: the create must not be sent.
    fn bind<'a>(&'a self, key: &'a FaceKey, create: &'a Create, skip: &'a BTreeSet<Check>) -> Binding<'a>;
}

/// A link being made.
pub type Binding<'a> = Pin<Box<dyn Future<Output = Result<Bound, NotBound>> + Send + 'a>>;

/// A link, ready to be sent.
#[derive(Debug, Clone)]
pub struct Bound {
    /// The link, with its signature.
    pub link: Link,
    /// Which version of the material it brings, where that is known.
    pub revision: Option<Revision>,
}

/// Why there is no link to send, for people; without a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotBound(pub String);

impl Binder for Desk {
    fn bind<'a>(&'a self, key: &'a FaceKey, create: &'a Create, skip: &'a BTreeSet<Check>) -> Binding<'a> {
        Box::pin(async move {
            match self.bind(key, &create.spec, skip).await {
                Ok((link, revision)) => Ok(Bound { link, revision }),
                Err(findings) => Err(NotBound(findings.iter().map(Finding::line).collect::<Vec<_>>().join("; "))),
            }
        })
    }
}

/// Sends links as the manifests have them, and asks nothing of them.
#[derive(Debug, Clone, Copy, Default)]
pub struct AsWritten;

impl Binder for AsWritten {
    fn bind<'a>(&'a self, _: &'a FaceKey, create: &'a Create, _: &'a BTreeSet<Check>) -> Binding<'a> {
        let link = create.spec.training.as_ref().and_then(|training| training.source().link()).cloned();
        let bound = link.map(|link| Bound { link, revision: None });
        Box::pin(std::future::ready(bound.ok_or_else(|| NotBound("nothing here makes a link from its source".into()))))
    }
}
