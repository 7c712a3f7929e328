//! x
fn main() {
    for p in std::env::args().skip(1) {
        let i = wheelproof_audit::open(p.as_str().into(), &Default::default()).unwrap();
        for b in &i.binaries {
            let f = &b.facts;
            let n = f.named.iter().filter(|n| !n.entry.exported_anywhere().is_empty()).count();
            if f.signs.lookup && f.named.len() > 0 {
                println!(
                    "{n} of {} named, {} {} {:?}",
                    f.named.len(),
                    f.signs.rust,
                    b.path().rsplit('/').next().unwrap(),
                    f.named.iter().map(|n| n.entry.name()).take(20).collect::<Vec<_>>()
                );
            }
        }
    }
}
