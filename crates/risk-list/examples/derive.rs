fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let r = |f: &str| std::fs::read(format!("{dir}/{f}")).unwrap();
    let v = r("villages.csv");
    let t = risk_list::derive_table(&risk_list::Divisions {
        provinces: &r("provinces.csv"),
        cities: &r("cities.csv"),
        areas: &r("areas.csv"),
        streets: &r("streets.csv"),
        villages: Some(&v),
    })
    .unwrap();
    std::fs::write("/tmp/areas.txt", t).unwrap();
}
