//! A start at which the database is gone: the operator's file and the derived file are the zone.

use super::*;

#[test]
fn promoted_records_and_masks_come_back_from_the_derived_file_under_a_higher_serial() {
    let house = House::new(ZONE);
    let before = {
        let publisher = promoted_and_masked(&house);
        publisher.flush();
        live(&publisher).serial()
    };
    assert_eq!(Publisher::published(&house.state()), [apex()]);
    // The copy knows all of it, too: here the derived file has to do alone.
    fs::remove_dir_all(house.state().join("served")).unwrap();
    let (publisher, reports) = stand_in(&house);
    assert!(reports[0].is_ok(), "{}", reports[0]);
    let zone = live(&publisher);
    assert_eq!(at(&zone, "new.example.", Rtype::A), ["192.0.2.90"]);
    assert!(at(&zone, "www.example.", Rtype::A).is_empty(), "the mask holds");
    assert!(zone.serial() > before, "{} after {before}", zone.serial());
}
