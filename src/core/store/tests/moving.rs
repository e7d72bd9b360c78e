//! All rows go from a file to a server and back, and are the same.

use ring::hmac;

use super::{file, server};
use crate::queue::Role;
use crate::store::people::PersonRow;
use crate::store::promises::LiveRow;
use crate::store::{Reader, Store, StoreError};

/// Puts a store under a key.
fn guard(store: &Store) {
    store.guard(hmac::Key::new(hmac::HMAC_SHA256, &[7; 32])).unwrap();
}

/// What is compared: key and digest of every guarded row, and the log.
fn digests(store: &Store) -> Vec<String> {
    let read = |reader: &Reader<'_>| -> Result<_, StoreError> {
        let mut all = Vec::new();
        for table in Reader::guarded_tables() {
            reader.guarded_rows_of(table, |key, digest| {
                all.push(format!("{table} {key} {digest:?}"))
            })?;
        }
        all.sort();
        reader.row_log(|row| all.push(format!("{row:?}")))?;
        all.push(format!("{:?}", reader.row_head()?.map(|head| reader.is_genuine_head(&head))));
        Ok(all)
    };
    store.read(read).unwrap()
}

#[test]
fn rows_are_the_same_on_a_server_and_back_in_a_file() {
    let Some((there, _there)) = server::store() else { return };
    let ((here, _here), (back, _back)) = (file(), file());
    guard(&here);
    here.write::<_, StoreError>(|tx| {
        tx.put_web_secret("form", &[0, 255, 39])?;
        for at in 0..200 {
            tx.put_person(&PersonRow::of_role(&format!("orang-{at}"), Role::Verifier, at))?;
        }
        tx.put_live_record(&LiveRow::imported("é.example.", "example.", vec![0; 70_000]))
    })
    .unwrap();
    assert!(there.take_over(&here).unwrap() > 400);
    back.take_over(&there).unwrap();
    let wanted = digests(&here);
    assert!(wanted.len() > 400 && wanted.last().unwrap().contains("true"));
    for store in [&there, &back] {
        guard(store);
        assert_eq!(digests(store), wanted);
        // It goes on as if nothing had happened.
        store.write::<_, StoreError>(|tx| tx.put_web_secret("other", b"x")).unwrap();
        let mut log = Vec::new();
        store.read::<_, StoreError>(|reader| reader.row_log(|row| log.push(row.found))).unwrap();
        assert!(log.iter().all(|found| !found));
    }
}
