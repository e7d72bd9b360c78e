-- Names of the operator's file that older versions took in without a request.
CREATE INDEX live_record_import ON live_record (name)
    WHERE origin = 'import' AND request IS NULL AND state = 'live';
