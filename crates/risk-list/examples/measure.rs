use risk_list::*;
use std::collections::BTreeMap;
fn main() {
    let t0 = std::time::Instant::now();
    let r = Resolver::shipped().unwrap();
    eprintln!("load {:?}", t0.elapsed());
    for f in std::env::args().skip(1) {
        let t0 = std::time::Instant::now();
        let l = PublishedList::from_json(&std::fs::read(&f).unwrap()).unwrap();
        let mut c: BTreeMap<String, [usize; 6]> = BTreeMap::new();
        for g in &l.groups {
            let s = r.scope(&g.place);
            for t in &g.texts {
                let x = r.resolve(&s, t);
                let e = c.entry(format!("{:?}", g.grade)).or_default();
                e[0] += 1;
                if x.precision >= Precision::County {
                    e[1] += 1
                }
                if x.precision == Precision::Township {
                    e[2] += 1
                }
                if let Target::Whole(a) = &x.target {
                    e[3] += 1;
                    if a[0] % 1000 == 0 {
                        e[4] += 1
                    }
                }
                let (a, st) = match &x.target {
                    Target::Whole(a) => (a.clone(), "*".to_owned()),
                    Target::Site { areas, text } => (areas.clone(), text.clone()),
                    Target::Unknown => (vec![], "?".into()),
                };
                let n = a
                    .iter()
                    .map(|a| r.table().names(*a))
                    .collect::<Vec<_>>()
                    .join("+");
                println!(
                    "{:?}\t{:?}\t{}\t{t}\t{a:?}\t{n}\t{st}",
                    g.grade, x.precision, g.place
                );
            }
        }
        eprintln!("{f} {:?}", t0.elapsed());
        for (k, e) in c {
            eprintln!(
                "  {k} n {} county {:.4} township {:.4} whole {} wholecounty {} | township of not-whole-county {:.4}",
                e[0],
                e[1] as f64 / e[0] as f64,
                e[2] as f64 / e[0] as f64,
                e[3],
                e[4],
                e[2] as f64 / (e[0] - e[4]) as f64
            );
        }
    }
}
