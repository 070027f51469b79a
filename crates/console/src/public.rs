//! What the federation publishes, for whoever is signed in: the room that the public page is served from, behind the session.

use std::sync::Arc;
use std::time::Duration;

use published::{Public, Texts, Watch, Watched};
use rules::{MAX_RULE_SET_LEN_BYTES, RuleSet};
use tonic::{Request, Response, Status};
use verifier::UnixTime;
use wire::public::v1 as proto;
use wire::public::v1::public_service_server::PublicService;
use wire::{Method, Reason};

use crate::admission::Admission;
use crate::files::read_text;
use crate::{Clock, Config, ConsoleError};

/// What is looked at, and how often.
pub(crate) struct Publications {
    pub(crate) watch: Arc<Watch>,
    pub(crate) every: Duration,
    pub(crate) public: Public,
}

impl Publications {
    /// What a configuration names; nothing where it has no `[public]`.
    ///
    /// # Errors
    /// A message naming the file of a rule set that is none.
    pub(crate) fn open(config: &Config, clock: Arc<dyn Clock>) -> Result<Option<Self>, String> {
        let (Some(looking), Some(root_keys)) = (&config.public, &config.root_keys) else {
            return Ok(None);
        };
        let sets = looking.rule_files.iter().map(|path| {
            let text = read_text(path, MAX_RULE_SET_LEN_BYTES as u64)?;
            RuleSet::from_toml(&text).map_err(|error| format!("{}: {error}", path.display()))
        });
        let texts = Texts::with(sets.collect::<Result<Vec<_>, _>>()?);
        let texts = texts.map_err(|error| format!("the rule sets that are built in: {error}"))?;
        let watched = Watched {
            federation: config.federation.as_str().to_owned(),
            root_keys: root_keys.clone(),
            nodes: looking.nodes.clone(),
        };
        let clock = Timed {
            clock,
            is_simulated: config.clock.is_some(),
        };
        let watch = Arc::new(Watch::new(watched, Arc::new(clock)));
        Ok(Some(Self {
            public: Public::new(Arc::clone(&watch), texts),
            every: looking.refresh_every,
            watch,
        }))
    }
}

/// The console's clock.
struct Timed {
    clock: Arc<dyn Clock>,
    is_simulated: bool,
}

impl published::Clock for Timed {
    fn now(&self) -> UnixTime {
        UnixTime::from_s(self.clock.now_s())
    }

    fn is_simulated(&self) -> bool {
        self.is_simulated
    }
}

/// What it is told by: nothing where it is not configured.
pub(crate) struct PublicDesk {
    pub(crate) admission: Admission,
    pub(crate) public: Option<Public>,
}

impl PublicDesk {
    /// What answers a call, if whoever makes it may. The session lasts by it: the page asks for none of this by itself.
    fn asked<T>(&self, method: Method, request: &Request<T>) -> Result<&Public, ConsoleError> {
        self.admission.admit(method, request)?;
        let public = self.public.as_ref();
        public.ok_or_else(|| Reason::NotConfigured.into())
    }
}

#[tonic::async_trait]
impl PublicService for PublicDesk {
    async fn get_overview(
        &self,
        request: Request<proto::GetOverviewRequest>,
    ) -> Result<Response<proto::GetOverviewResponse>, Status> {
        let public = self.asked(Method::GetOverview, &request)?;
        public.get_overview(request).await
    }

    async fn get_rule_text(
        &self,
        request: Request<proto::GetRuleTextRequest>,
    ) -> Result<Response<proto::GetRuleTextResponse>, Status> {
        let public = self.asked(Method::GetRuleText, &request)?;
        public.get_rule_text(request).await
    }

    async fn get_counts(
        &self,
        request: Request<proto::GetCountsRequest>,
    ) -> Result<Response<proto::GetCountsResponse>, Status> {
        let public = self.asked(Method::GetCounts, &request)?;
        public.get_counts(request).await
    }

    async fn get_impacts(
        &self,
        request: Request<proto::GetImpactsRequest>,
    ) -> Result<Response<proto::GetImpactsResponse>, Status> {
        let public = self.asked(Method::GetImpacts, &request)?;
        public.get_impacts(request).await
    }
}

#[cfg(test)]
#[path = "public_tests.rs"]
mod tests;
