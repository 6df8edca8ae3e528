-- What one request did, to undo it.
create index audit_events_request on audit_events (request_id) where request_id <> '';
