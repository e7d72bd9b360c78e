//! A start at which the database is gone: the operator's file and the derived file are the zone.

use super::*;

#[test]
fn promoted_records_and_masks_come_back_from_the_derived_file_under_a_higher_serial() {
    let house = House::new(ZONE);
    let before = {
        let publisher = house.opened();
        let new = vec![rrset("new.example.", Rtype::A, &["192.0.2.90"])];
        promote(&publisher, "M-1", new).unwrap();
        promote(&publisher, "M-2", vec![rrset("www.example.", Rtype::A, &[])]).unwrap();
        publisher.flush();
        live(&publisher).serial()
    };
    let options = house.options();
    let sources = vec![ZoneSource::new(apex(), house.file())];
    assert_eq!(Publisher::published(&options.state_dir), [apex()]);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    assert!(Publisher::take_in_derived(&store, &sources, &options).unwrap() >= 2);
    let (publisher, reports) = Publisher::open(store, sources, options).unwrap();
    assert!(reports[0].is_ok(), "{}", reports[0]);
    let zone = live(&publisher);
    assert_eq!(at(&zone, "new.example.", Rtype::A), ["192.0.2.90"]);
    assert!(at(&zone, "www.example.", Rtype::A).is_empty(), "the mask holds");
    assert!(zone.serial() > before, "{} after {before}", zone.serial());
}
