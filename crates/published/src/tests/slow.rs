//! Nodes that are slow, and those beside them.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// A node that answers late.
struct Late {
    url: String,
    /// How often it was asked.
    asked: Arc<AtomicUsize>,
    _serving: JoinSet<()>,
}

impl Late {
    /// After how long it answers for what lies under a path.
    async fn start(files: Files, after: fn(&str) -> Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (asked, mut serving) = (Arc::<AtomicUsize>::default(), JoinSet::new());
        let (count, files) = (Arc::clone(&asked), Arc::new(Mutex::new(files)));
        serving.spawn(async move {
            let mut answering = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                let files = Arc::clone(&files);
                answering.spawn(answer(stream, files, after));
            }
        });
        Self {
            url,
            asked,
            _serving: serving,
        }
    }

    async fn silent() -> Self {
        Self::start(Files::new(), |_| Duration::from_hours(1)).await
    }

    /// The addresses of others, with this one's in its place.
    fn among(&self, others: &Mirrors, place: usize) -> Vec<String> {
        let mut urls = others.urls.clone();
        urls.insert(place, self.url.clone());
        urls
    }
}

#[tokio::test]
async fn a_silent_node_hides_no_other_while_it_is_waited_for() {
    let silent = Late::silent().await;
    let mirrors = Mirrors::start(nodes()[1..].to_vec()).await;
    let mut watch = watching(&silent.among(&mirrors, 0));
    watch.pace.lists_within = Duration::from_millis(200);
    let watch = Arc::new(watch);
    let looking = Arc::clone(&watch);
    let looking = tokio::spawn(async move { looking.look().await });
    let seen = loop {
        let seen = watch.state();
        if seen.nodes[1..].iter().all(|node| node.log.is_some()) {
            break seen;
        }
        assert!(!looking.is_finished());
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(seen.looked_at, None, "the round goes on");
    assert!(seen.held.is_some() && seen.nodes[0].log_problem.is_none());
    looking.abort();
}

#[tokio::test]
async fn a_node_has_its_own_time_for_all_that_it_is_asked() {
    let head = entries(1).swap_remove(2);
    let long: Vec<Entry> = std::iter::repeat_n(head, 256 * 40).collect();
    // Each answer comes soon enough; all of them together do not.
    let late = Late::start(files(1, &long), |path| {
        Duration::from_secs(path.starts_with("tile/").into())
    });
    let late = late.await;
    let mirrors = Mirrors::start(nodes()[1..].to_vec()).await;
    let mut watch = watching(&late.among(&mirrors, 0));
    watch.pace.node_within = Duration::from_secs(5);
    let seen = seen(&watch).await;
    assert_eq!(list_fault(&seen.slots[0]), None);
    let problem = seen.slots[0].log_problem.as_ref().unwrap();
    assert_eq!(problem.fault(), Fault::Silent);
    assert!(problem.detail.contains("not all of it"), "{problem:?}");
    assert_eq!(log_fault(&seen.slots[1]), None);
}

#[tokio::test]
async fn pages_that_wait_for_a_long_round_have_no_second_one_begun() {
    let silent = Late::silent().await;
    let mut watch = watching(std::slice::from_ref(&silent.url));
    watch.pace.node_within = Duration::from_secs(2);
    watch.pace.least_between = Duration::from_secs(1);
    tokio::join!(watch.look_again(), watch.look_again());
    assert_eq!(silent.asked.load(Ordering::SeqCst), 1);
    tokio::time::sleep(watch.pace.least_between).await;
    watch.look_again().await;
    assert_eq!(silent.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn who_is_behind_is_told_so_whoever_answers_first() {
    let mut all = nodes();
    for (files, later) in all.iter_mut().zip([0, 5, 5]) {
        files.insert("trust/v1/list".to_owned(), trust_list(later, &[1, 2]));
    }
    // The one that is behind comes last, and first.
    for place in [0, 1] {
        let late = Late::start(all[place].clone(), |path| {
            Duration::from_millis(if path == "trust/v1/list" { 500 } else { 0 })
        });
        let late = late.await;
        let mut others = all.clone();
        others.remove(place);
        others.truncate(1);
        let mirrors = Mirrors::start(others).await;
        let seen = seen(&watching(&late.among(&mirrors, place))).await;
        assert_eq!(list_fault(&seen.slots[0]), Some(Fault::Stale));
        assert_eq!(list_fault(&seen.slots[1]), None);
        assert_eq!(seen.list.unwrap().online_sequence, 45);
    }
}
