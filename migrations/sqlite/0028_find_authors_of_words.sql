-- Approving asks who stated the words of an incident: the few entries of that verb among all.
CREATE INDEX audit_of_stated_words ON audit (subject) WHERE verb = 'incident.state';
