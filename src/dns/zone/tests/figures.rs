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
