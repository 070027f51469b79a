//! The gate's door: verdicts over gRPC for the scanner and the screen on the same machine.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use federation::{Door, Ended, Limits};
use gate::{Report, Scanned};
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use verifier::{BatchSeed, GateChallenge, GateNonce, Reason, Specimens, UnixTime, Verdict};
use wire::gate::v1 as proto;
use wire::{GateRequest, WireError};

use crate::{Clock, Desk, Error, refresh};

/// Challenges that wait for their answer at once.
const MAX_CHALLENGES: usize = 65_536;
/// How long a challenge may be answered, seconds.
const CHALLENGE_LIFE_S: u64 = 300;
/// How often the gate's memory is stored: a crash forgets at most the showings of this time.
const STORE_EVERY: Duration = Duration::from_secs(1);

/// Random bytes from the caller: only a binary owns a generator.
pub type RandomBytes = fn() -> [u8; 32];

/// The gate service over an open desk.
#[derive(Clone)]
pub struct GateService {
    desk: Arc<Mutex<Desk>>,
    challenges: Arc<Mutex<BTreeMap<[u8; 16], UnixTime>>>,
    clock: Clock,
    random: RandomBytes,
}

impl GateService {
    /// A service.
    pub fn new(desk: Desk, clock: Clock, random: RandomBytes) -> Self {
        Self {
            desk: Arc::new(Mutex::new(desk)),
            challenges: Arc::default(),
            clock,
            random,
        }
    }

    pub(crate) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn challenges(&self) -> MutexGuard<'_, BTreeMap<[u8; 16], UnixTime>> {
        self.challenges
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn is_outstanding(&self, nonce: GateNonce, now: UnixTime) -> bool {
        let given = self.challenges().get(&nonce.0).copied();
        given.is_some_and(|at| now.since_s(at) < CHALLENGE_LIFE_S)
    }

    /// Verdicts on codes that share a profile, in their order.
    fn decide(&self, codes: &[Scanned], profile: Option<&str>) -> Result<Vec<Report>, Status> {
        let now = self.clock.now();
        let outstanding: Vec<bool> = codes
            .iter()
            .map(|code| code.nonce.is_none_or(|n| self.is_outstanding(n, now)))
            .collect();
        let good: Vec<Scanned> = codes
            .iter()
            .zip(&outstanding)
            .filter(|(_, outstanding)| **outstanding)
            .map(|(code, _)| code.clone())
            .collect();
        let mut desk = self.desk();
        let mut decided = if let [one] = &good[..] {
            vec![desk.decide(one, profile, now).map_err(refused)?]
        } else {
            let seed = BatchSeed::from_random((self.random)());
            (desk.decide_all(&good, profile, now, &seed)).map_err(refused)?
        }
        .into_iter();
        let reports: Vec<Report> = outstanding
            .iter()
            .filter_map(|outstanding| {
                if *outstanding {
                    decided.next()
                } else {
                    Some(desk.refuse(Verdict::Reject(Reason::ChallengeMismatch), now))
                }
            })
            .collect();
        drop(desk);
        let mut challenges = self.challenges();
        for (code, report) in codes.iter().zip(&reports) {
            if let (Some(nonce), true) = (code.nonce, report.verdict.is_accept()) {
                challenges.remove(&nonce.0); // once answered, never again
            }
        }
        Ok(reports)
    }

    /// Fetches the trust list from the configured publishers.
    ///
    /// # Errors
    /// [`Error::NotRefreshed`] if none gave an acceptable one; the last good list stays in use.
    pub async fn refresh(&self) -> Result<(), Error> {
        let (config, list) = {
            let desk = self.desk();
            (desk.config().clone(), desk.list().cloned())
        };
        let answers = refresh::ask(&config, list.as_ref(), self.clock.now()).await?;
        refresh::take(&mut self.desk(), answers, self.clock.now()).map(drop)
    }

    fn store_memory(&self) {
        if let Err(error) = self.desk().store_memory() {
            tracing::error!(%error, "the gate's memory could not be stored");
        }
    }
}

/// Serves the gate's door until `shutdown` completes; keeps the trust list fresh and the memory stored meanwhile.
///
/// # Errors
/// [`Error::Federation`].
pub async fn serve(
    listener: TcpListener,
    service: GateService,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<Ended, Error> {
    let storing = tokio::spawn({
        let service = service.clone();
        async move {
            loop {
                tokio::time::sleep(STORE_EVERY).await;
                let service = service.clone();
                let _ = tokio::task::spawn_blocking(move || service.store_memory()).await;
            }
        }
    });
    let refreshing = tokio::spawn(keep_fresh(service.clone()));
    let routes = Routes::new(wire::server::gate(service.clone()));
    let ended = federation::serve(listener, Door::Gate, routes, limits, shutdown).await;
    refreshing.abort();
    storing.abort();
    service.store_memory();
    Ok(ended?)
}

/// Refreshes for ever. An outage is logged once a round and never ends the loop.
async fn keep_fresh(service: GateService) {
    let (every, any) = {
        let desk = service.desk();
        let config = desk.config();
        (
            Duration::from_secs(config.trust.refresh_every_s.into()),
            !config.publishers.is_empty() || !config.mirrors.is_empty(),
        )
    };
    if !any {
        return;
    }
    loop {
        if let Err(error) = service.refresh().await {
            tracing::warn!(%error, "the trust list could not be refreshed");
        }
        // Up to a tenth longer at random, so that gates that started together do not ask together.
        let spread = u32::from((service.random)()[0]);
        tokio::time::sleep(every + every / 10 * spread / 255).await;
    }
}

#[tonic::async_trait]
impl proto::gate_service_server::GateService for GateService {
    async fn new_challenge(
        &self,
        _: Request<proto::NewChallengeRequest>,
    ) -> Result<Response<proto::NewChallengeResponse>, Status> {
        let now = self.clock.now();
        let mut nonce = [0; 16];
        nonce.copy_from_slice(&(self.random)()[..16]);
        let mut challenges = self.challenges();
        if challenges.len() >= MAX_CHALLENGES {
            challenges.retain(|_, at| now.since_s(*at) < CHALLENGE_LIFE_S);
        }
        if challenges.len() >= MAX_CHALLENGES {
            let wait = Duration::from_secs(CHALLENGE_LIFE_S);
            return Err(wire::status_retry_after(wire::Reason::Overloaded, wait));
        }
        challenges.insert(nonce, now);
        drop(challenges);
        let challenge = GateChallenge {
            gate: self.desk().gate_id(),
            nonce: GateNonce(nonce),
        };
        Ok(Response::new(challenge.into()))
    }

    async fn verify_code(
        &self,
        request: Request<proto::VerifyCodeRequest>,
    ) -> Result<Response<proto::VerifyCodeResponse>, Status> {
        let request = request.into_inner();
        let (code, profile) = read(&GateRequest::try_from(&request)?);
        let service = self.clone();
        let reports = blocking(move || service.decide(&[code], profile.as_deref())).await?;
        let report = reports.first().ok_or_else(internal)?;
        Ok(Response::new(proto::VerifyCodeResponse {
            verdict: Some((&report.verdict).into()),
            list_age_min: list_age_min(report),
        }))
    }

    async fn verify_codes(
        &self,
        request: Request<proto::VerifyCodesRequest>,
    ) -> Result<Response<proto::VerifyCodesResponse>, Status> {
        let request = request.into_inner();
        let mut by_profile: BTreeMap<Option<String>, Vec<(usize, Scanned)>> = BTreeMap::new();
        for (index, request) in wire::gate_requests(&request)?.iter().enumerate() {
            let (code, profile) = read(request);
            by_profile.entry(profile).or_default().push((index, code));
        }
        let service = self.clone();
        let decided = blocking(move || {
            let mut all = Vec::new();
            for (profile, group) in by_profile {
                let (indices, codes): (Vec<usize>, Vec<Scanned>) = group.into_iter().unzip();
                let reports = service.decide(&codes, profile.as_deref())?;
                all.extend(indices.into_iter().zip(reports));
            }
            all.sort_unstable_by_key(|(index, _)| *index);
            Ok(all)
        })
        .await?;
        Ok(Response::new(proto::VerifyCodesResponse {
            list_age_min: decided.first().map_or(0, |(_, r)| list_age_min(r)),
            verdicts: decided.iter().map(|(_, r)| (&r.verdict).into()).collect(),
        }))
    }

    async fn get_status(
        &self,
        _: Request<proto::GetStatusRequest>,
    ) -> Result<Response<proto::GetStatusResponse>, Status> {
        let now = self.clock.now();
        let desk = self.desk();
        let counts = desk.counts();
        let list = desk.list_age(now);
        let newest = desk.list().and_then(|l| l.online().registries.last());
        Ok(Response::new(proto::GetStatusResponse {
            list_age_min: list.map_or(0, |list| minutes(list.age_s)),
            root_sequence: list.map_or(0, |list| list.root_sequence),
            online_sequence: list.map_or(0, |list| list.online_sequence),
            epoch: newest.map_or(0, |entry| entry.epoch.get()),
            accepted: counts.accepted,
            rejected: counts.rejected,
            undecided: counts.undecided,
        }))
    }

    async fn get_setting(
        &self,
        _: Request<proto::GetSettingRequest>,
    ) -> Result<Response<proto::GetSettingResponse>, Status> {
        let desk = self.desk();
        let (config, setting) = (desk.config(), desk.setting());
        let keys = setting.pinned.keys().iter();
        Ok(Response::new(proto::GetSettingResponse {
            province_code: setting.place.get().into(),
            gate_id: setting.gate_id.0.to_vec(),
            root_keys: keys.map(|key| key.as_bytes().to_vec()).collect(),
            root_threshold: setting.pinned.threshold().into(),
            admits_specimens: setting.specimens == Specimens::Admitted,
            slot_skew_half_min: setting.slot_skew.into(),
            profile_id: setting.profile.clone().unwrap_or_default(),
            refresh_every_s: config.trust.refresh_every_s,
            now_s: self.clock.now().get_s(),
            simulated_clock: config.clock.is_some(),
            temperature_limit_tenth_c: config.temperature_limit_tenth_c.unwrap_or(0).into(),
        }))
    }
}

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Status> + Send + 'static,
) -> Result<T, Status> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| internal())?
}

pub(crate) fn internal() -> Status {
    wire::status(wire::Reason::Internal)
}

fn refused(error: Error) -> Status {
    match error {
        Error::UnknownProfile(_) => WireError::Malformed {
            field: "profile_id",
        }
        .into(),
        error => {
            tracing::error!(%error, "a code could not be checked");
            internal()
        }
    }
}

fn read(request: &GateRequest<'_>) -> (Scanned, Option<String>) {
    let code = Scanned {
        text: request.qr_text.to_owned(),
        nonce: request.nonce,
        card: request.card.clone(),
    };
    (code, request.profile.map(str::to_owned))
}

fn list_age_min(report: &Report) -> u32 {
    report.list.map_or(0, |list| minutes(list.age_s))
}

fn minutes(seconds: u64) -> u32 {
    u32::try_from(seconds / 60).unwrap_or(u32::MAX)
}
