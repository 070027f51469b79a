use checkpoint::{Clock, GateService, SimulatedTime, serve};
use federation::{Ended, Limits};
use rules::Minute;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tonic::transport::{Channel, Endpoint};
use verifier::{GateChallenge, GateId, GateNonce};
use wire::gate::v1 as proto;
use wire::gate::v1::gate_service_client::GateServiceClient;

use crate::scene::{AS_OF, at, code, desk, good_bundle};

struct Gate {
    client: GateServiceClient<Channel>,
    shut: oneshot::Sender<()>,
    served: tokio::task::JoinHandle<Result<Ended, checkpoint::Error>>,
    dir: tempfile::TempDir,
}

impl Gate {
    async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut desk = desk(dir.path());
        desk.take_list(&good_bundle(), at(10)).unwrap();
        let clock = Clock::simulated(SimulatedTime {
            start_minute: Minute::new(AS_OF + 10).unwrap(),
            rate_min_per_s: 0,
        });
        let service = GateService::new(desk, clock, || [5; 32]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shut, told) = oneshot::channel::<()>();
        let served = tokio::spawn(serve(listener, service, Limits::default(), async {
            let _ = told.await;
        }));
        let channel = Endpoint::from_shared(format!("http://{address}"))
            .unwrap()
            .connect_lazy();
        Self {
            client: wire::client::gate(channel),
            shut,
            served,
            dir,
        }
    }

    async fn verify(&mut self, request: proto::VerifyCodeRequest) -> proto::Verdict {
        let answer = self.client.verify_code(request).await.unwrap();
        answer.into_inner().verdict.unwrap()
    }
}

fn request(text: String) -> proto::VerifyCodeRequest {
    proto::VerifyCodeRequest {
        qr_text: text,
        ..Default::default()
    }
}

#[tokio::test]
async fn verdicts_come_through_the_door_one_by_one_and_together() {
    let mut gate = Gate::open().await;
    assert_eq!(
        gate.verify(request(code(1, 10, None))).await.code,
        "ACCEPTED"
    );
    assert_eq!(
        gate.verify(request(code(1, 10, None))).await.code,
        "REPLAYED"
    );
    let weak = proto::VerifyCodeRequest {
        profile_id: "green".to_owned(),
        ..request(code(2, 10, None))
    };
    let codes = vec![request(code(2, 10, None)), weak, request(code(3, 10, None))];
    let answer = gate
        .client
        .verify_codes(proto::VerifyCodesRequest { codes })
        .await
        .unwrap()
        .into_inner();
    let codes: Vec<&str> = answer.verdicts.iter().map(|v| v.code.as_str()).collect();
    assert_eq!(codes, ["ACCEPTED", "COLOUR_TOO_WEAK", "ACCEPTED"]);
    assert_eq!(answer.list_age_min, 5);

    let status = gate.client.get_status(proto::GetStatusRequest {}).await;
    let status = status.unwrap().into_inner();
    assert_eq!((status.accepted, status.rejected), (3, 2));
    assert_eq!((status.epoch, status.online_sequence), (1, 1));
}

#[tokio::test]
async fn a_challenge_is_answered_once_and_only_here() {
    let mut gate = Gate::open().await;
    let given = gate
        .client
        .new_challenge(proto::NewChallengeRequest {})
        .await
        .unwrap()
        .into_inner();
    let challenge = GateChallenge {
        gate: GateId(given.gate_id.try_into().unwrap()),
        nonce: GateNonce(given.nonce.clone().try_into().unwrap()),
    };
    let with_nonce = |n, challenge, nonce: &[u8]| proto::VerifyCodeRequest {
        nonce: nonce.to_vec(),
        ..request(code(n, 10, challenge))
    };
    let never_given = with_nonce(1, Some(challenge), &[1; 16]);
    assert_eq!(gate.verify(never_given).await.code, "CHALLENGE_MISMATCH");
    let unanswered = with_nonce(1, None, &given.nonce);
    assert_eq!(gate.verify(unanswered).await.code, "CHALLENGE_MISMATCH");
    let good = with_nonce(1, Some(challenge), &given.nonce);
    assert_eq!(gate.verify(good).await.code, "ACCEPTED");
    let second = with_nonce(2, Some(challenge), &given.nonce);
    assert_eq!(gate.verify(second).await.code, "CHALLENGE_MISMATCH");
}

#[tokio::test]
async fn what_breaks_a_limit_is_a_status_and_no_verdict() {
    let mut gate = Gate::open().await;
    for bad in [
        request("V".repeat(601)),
        proto::VerifyCodeRequest {
            nonce: vec![0; 15],
            ..request(code(1, 10, None))
        },
        proto::VerifyCodeRequest {
            card_identity_number: "1".to_owned(),
            ..request(code(1, 10, None))
        },
        proto::VerifyCodeRequest {
            profile_id: "gold".to_owned(),
            ..request(code(1, 10, None))
        },
    ] {
        let status = gate.client.verify_code(bad).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::InvalidArgument, "{status}");
    }
    let codes = vec![request(code(1, 10, None)); 257];
    let many = gate
        .client
        .verify_codes(proto::VerifyCodesRequest { codes });
    assert_eq!(many.await.unwrap_err().code(), tonic::Code::InvalidArgument);
}

#[tokio::test]
async fn what_a_gate_accepted_is_still_known_after_it_was_shut_and_opened() {
    let mut gate = Gate::open().await;
    let text = code(1, 10, None);
    assert_eq!(gate.verify(request(text.clone())).await.code, "ACCEPTED");
    gate.shut.send(()).unwrap();
    assert_eq!(gate.served.await.unwrap().unwrap(), Ended::Drained);
    let mut desk = desk(gate.dir.path());
    let again = desk.decide(&checkpoint::Scanned::plain(text), None, at(10));
    assert_eq!(again.unwrap().code(), verifier::Code::Replayed);
}
