//! A zone large enough to have a deep trie.

use super::*;

#[test]
fn twenty_thousand_names_in_any_order() {
    let count = 20_000u32;
    let address = |at: u32| {
        let owner = name(&format!("host-{at}.a-long-name-shared-by-all.{APEX}"));
        record(&owner, Rtype::A, &at.to_be_bytes())
    };
    // A multiplier without a common factor visits all in another order.
    let records: Vec<_> = (0..count).map(|at| address(at * 7919 % count)).collect();
    let zone = build(1, &records);
    assert_eq!(zone.name_count(), count as usize + 1);
    assert!(zone.nodes().map(|node| node.owner()).is_sorted());
    for record in &records {
        let set = zone.rrset(record.owner.as_ref(), Rtype::A).unwrap();
        assert_eq!(set.first(), &*record.rdata);
    }
    let odd: Vec<_> = (0..count).filter(|at| at % 2 == 1).map(address).collect();
    let even = zone.apply(&Delta { removed: odd.clone(), added: vec![] }).unwrap();
    assert_eq!(even.name_count(), count as usize / 2 + 1);
    assert!(even.lookup(odd[0].owner.as_ref()).exact().is_none());
    let again = even.apply(&Delta { removed: vec![], added: odd }).unwrap();
    assert_eq!(again, zone);
}

#[test]
fn names_built_apart_know_what_is_above_them() {
    let below = |above: &str| {
        let owners = (0..200).flat_map(|at| [format!("n{at}.{above}"), format!("e.n{at}.{above}")]);
        owners.map(|owner| record(&name(&owner), Rtype::A, &[192, 0, 2, 1])).collect::<Vec<_>>()
    };
    let at = |label: &str| format!("{label}.{APEX}");
    let [cut, dname, other] = ["cut", "dname", "other"].map(at);
    let mut records = [below(&cut), below(&dname), below(&other)].concat();
    // Far from the names below it, in the text and in the order.
    records.push(record(&name(&cut), Rtype::NS, b"\x01n\0"));
    records.push(record(&name(&dname), Rtype::DNAME, b"\x01n\0"));
    let zone = build(1, &records);
    assert!(zone.nodes().map(|node| node.owner()).is_sorted());
    assert_eq!(zone.nodes().count(), 1 + 3 * 401, "with the apex and the empty non-terminal");
    for node in zone.nodes() {
        let is = |above: &str| {
            node.owner() != name(above).as_ref()
                && node.owner().is_at_or_below(name(above).as_ref())
        };
        let flags = (node.is_below_cut(), node.is_below_dname());
        assert_eq!(flags, (is(&cut), is(&dname)), "{}", node.owner());
    }
}
