use federation::{CallerKind, callers};
use wire::reason_of;

use super::*;
use crate::Role;
use crate::testing::{House, from_page};

const CONFIG: &str = "federation = \"demo\"\nprovince = 33\ndata_dir = \"data\"\nstore_key_file = \"store.keys\"\n\
    staff_file = \"staff.toml\"\n[page]\nlisten = \"127.0.0.1:0\"\n[node]\naddress = \"127.0.0.1:1\"\nroots_file = \"r.pem\"\n\
    [trust]\nroot_keys = [\"d62f016a1efd1e4fdf793eb42cd84471e1ba9f0cf04d1287b5cc71f616287cb8\"]\nroot_threshold = 1\n";

fn opened(house: &House, more: &str) -> Result<PublicDesk, String> {
    let dir = house.file.parent().unwrap();
    let config = Config::parse(&format!("{CONFIG}{more}"), dir)?;
    let publications = Publications::open(&config, Arc::clone(&house.clock) as _)?;
    Ok(PublicDesk {
        admission: house.admission(),
        public: publications.map(|of| of.public),
    })
}

/// Makes each call that there is, and says how each was refused.
async fn calls(desk: &PublicDesk, cookie: &str) -> Vec<Option<Status>> {
    let digest = commitment::rule_digest(RuleSet::built_in("fj-2022-08").unwrap().table());
    let text = proto::GetRuleTextRequest {
        digest: commitment::fr_to_bytes(digest).to_vec(),
    };
    let overview = from_page(proto::GetOverviewRequest::default(), cookie);
    let counts = from_page(proto::GetCountsRequest::default(), cookie);
    let impacts = from_page(proto::GetImpactsRequest::default(), cookie);
    vec![
        desk.get_overview(overview).await.err(),
        desk.get_rule_text(from_page(text, cookie)).await.err(),
        desk.get_counts(counts).await.err(),
        desk.get_impacts(impacts).await.err(),
    ]
}

fn reasons(refused: &[Option<Status>]) -> Vec<Option<Reason>> {
    let each = refused.iter().map(|status| reason_of(status.as_ref()?));
    each.collect()
}

#[tokio::test]
async fn whoever_is_signed_in_is_told_and_nobody_else() {
    let house = House::new();
    let desk = opened(&house, "[public]\n").unwrap();
    let staff = Method::ALL.iter().filter(|method| {
        method.path().starts_with("/viridian.public.")
            && callers(**method).contains(&CallerKind::Staff)
    });
    assert_eq!(staff.count(), calls(&desk, "").await.len());
    for role in Role::ALL {
        let (id, _) = house.invite(role.word(), &[role]);
        let cookie = house.sessions.begin(id);
        let refused = calls(&desk, &cookie).await;
        // Of the last a rule set's name is asked for, and this is none.
        assert!(refused[..3].iter().all(Option::is_none), "{role:?}");
        assert_eq!(reasons(&refused)[3], Some(Reason::Malformed), "{role:?}");
        house.clock.pass_s(crate::sessions::IDLE_MAX_S);
        let refused = calls(&desk, &cookie).await;
        assert_eq!(reasons(&refused), [Some(Reason::NotSignedIn); 4]);
    }
    let refused = calls(&desk, "").await;
    assert_eq!(reasons(&refused), [Some(Reason::NotSignedIn); 4]);
}

#[tokio::test]
async fn whoever_asks_for_it_keeps_their_session() {
    let house = House::new();
    let desk = opened(&house, "[public]\n").unwrap();
    let (id, _) = house.invite("王敏", &[Role::Clerk]);
    let cookie = house.sessions.begin(id);
    for _ in 0..3 {
        house.clock.pass_s(crate::sessions::IDLE_MAX_S - 1);
        let asked = from_page(proto::GetOverviewRequest::default(), &cookie);
        assert!(desk.get_overview(asked).await.is_ok());
    }
}

#[tokio::test]
async fn a_console_that_is_not_told_whom_to_ask_says_so_to_whoever_is_signed_in() {
    let house = House::new();
    let desk = opened(&house, "").unwrap();
    let (id, _) = house.invite("王敏", &[Role::Clerk]);
    let refused = calls(&desk, &house.sessions.begin(id)).await;
    assert_eq!(reasons(&refused), [Some(Reason::NotConfigured); 4]);
    let refused = calls(&desk, "").await;
    assert_eq!(reasons(&refused), [Some(Reason::NotSignedIn); 4]);
}

#[tokio::test]
async fn the_text_of_a_file_is_at_hand_and_a_file_that_is_none_is_named() {
    let house = House::new();
    let file = house.file.with_file_name("rules.toml");
    let named = "[public]\nrule_files = [\"rules.toml\"]\n";
    let refused = |more: &str| opened(&house, more).err().unwrap();
    assert!(refused(named).contains("rules.toml"), "not there");
    std::fs::write(&file, "format = 9").unwrap();
    assert!(refused(named).contains("rules.toml"), "no rule set");

    let text = include_str!("../../rules/rule_sets/fj-2022-08.toml");
    let text = text.replace("lapse = { hours = 12 }", "lapse = { hours = 24 }");
    let set = RuleSet::from_toml(&text).unwrap();
    std::fs::write(&file, &text).unwrap();
    let desk = opened(&house, named).unwrap();
    let (id, _) = house.invite("王敏", &[Role::Clerk]);
    let digest = commitment::fr_to_bytes(commitment::rule_digest(set.table())).to_vec();
    let request = proto::GetRuleTextRequest { digest };
    let told = from_page(request, &house.sessions.begin(id));
    let told = desk.get_rule_text(told).await.unwrap().into_inner();
    assert_eq!(told.text_sha256, set.digest_sha256());
}
